#if ModelCheck

  import CLinux
  import Faultline
  import Glibc

  /// The threads that an explorer runs bodies on, and the baton that exactly one of them holds.
  ///
  /// They live as long as this does, because starting a thread costs more than most executions; those of an execution that
  /// could not end stay behind where they stand. They sit best on one processor of the host: handing on the baton is then a
  /// switch, not a message to a sleeping core.
  ///
  /// `@unchecked Sendable`: only the holder of the baton touches the state.
  final class VirtualProcessors: @unchecked Sendable {
    typealias Body = () -> Void

    private final class Seat {
      let semaphore: UnsafeMutablePointer<sem_t>
      /// Where its thread hears of its traps, its own stack's end among them.
      let signalStack = UnsafeMutableRawPointer.allocate(byteCount: Seat.signalStackBytes, alignment: 16)
      static let signalStackBytes = 64 << 10
      var thread = pthread_t()
      var body: Body?
      let number: Int
      unowned(unsafe) let owner: VirtualProcessors

      init(_ number: Int, of owner: VirtualProcessors) {
        self.number = number
        self.owner = owner
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
      }
    }

    /// The one whose execution runs now; the observer's functions have no context of their own.
    nonisolated(unsafe) private static var current: Unmanaged<VirtualProcessors>?

    let execution: UnsafeMutablePointer<Execution>
    private var seats: [Seat] = []
    private let done: UnsafeMutablePointer<sem_t>
    private var isQuitting = false
    /// What runs by itself after the threads, on the one that ended last: none of its operations is a step. One that traps
    /// or waits for ever is a finding like theirs.
    private var afterwards: Body?
    private var isAfterwards = false
    /// Where the threads run.
    private let hostProcessor = cl_processor()

    init(count: Int, scheduler: any Scheduler) {
      execution = .allocate(capacity: 1)
      execution.initialize(to: Execution(scheduler: scheduler))
      done = .allocate(capacity: 1)
      sem_init(done, 0, 0)
      for number in 0..<count { seats.append(Seat(number, of: self)) }
      for seat in seats { Self.launch(seat) }
    }

    /// Lets the threads end. Those that are stuck inside a body stay, and keep what they use.
    func quit() {
      guard execution.pointee.ending == .finished else {
        _ = Unmanaged.passRetained(self)
        return
      }
      isQuitting = true
      for seat in seats {
        sem_post(seat.semaphore)
        Self.wait(done)
      }
    }

    /// Runs the bodies under a scheduler, until they ended or cannot go on; then, if they ended, one that looks at what they
    /// left.
    func run(_ bodies: [Body], under scheduler: any Scheduler, afterwards: Body? = nil) {
      execution.pointee.begin(scheduler, threads: bodies.count)
      for (seat, body) in zip(seats, bodies) { seat.body = body }
      self.afterwards = afterwards
      isAfterwards = false
      execution.pointee.start()
      Self.current = Unmanaged.passUnretained(self)
      SchedulePoint.observer = Self.observer
      cl_catch_traps(Self.trapped)
      sem_post(holderSeat.semaphore)
      Self.wait(done)
      cl_release_traps()
      SchedulePoint.observer = nil
      Self.current = nil
    }

    /// The thread that acts: a number past the scenario's threads for what runs after them.
    private var actor: Int { isAfterwards ? seats.count : execution.pointee.holder }
    private var holderSeat: Seat { seats[execution.pointee.holder] }

    /// Async-signal-safe: it says how the execution ended, wakes the explorer and stays here for ever. Traps of other threads
    /// end the process as they would.
    private static let trapped: @convention(c) (Int32) -> Void = { signal in
      VirtualProcessors.current?._withUnsafeGuaranteedRef { processors in
        guard pthread_equal(pthread_self(), processors.holderSeat.thread) != 0 else { return }
        processors.end(.trapped(thread: processors.actor, signal: signal))
      }
    }

    private static let observer = SchedulePoint.Observer(
      reached: { kind, address in
        guard let current = VirtualProcessors.current else { return }
        current._withUnsafeGuaranteedRef { $0.reached(SchedulePoint.Kind(rawValue: kind) ?? .update, address) }
      },
      changed: { VirtualProcessors.current?._withUnsafeGuaranteedRef { $0.execution.pointee.noteChange() } },
      resized: { address, byteCount, isFree in
        VirtualProcessors.current?._withUnsafeGuaranteedRef {
          $0.execution.pointee.noteMemory(address..<address + UInt(byteCount), isFree: isFree)
        }
      },
      touched: { address in
        VirtualProcessors.current?._withUnsafeGuaranteedRef { $0.stopIfFreed(address) }
      },
      damaged: { _ in
        VirtualProcessors.current?._withUnsafeGuaranteedRef { $0.end(.damaged(thread: $0.actor)) }
      })

    /// Afterwards nobody else runs: whoever waits does so for ever. What it reads is plenty and is looked at no closer.
    private static let observerAfterwards = SchedulePoint.Observer(
      reached: { kind, address in
        guard kind == SchedulePoint.Kind.spin.rawValue else { return }
        VirtualProcessors.current?._withUnsafeGuaranteedRef {
          $0.end(.deadlock([(thread: $0.actor, word: $0.execution.pointee.number(ofWordAt: address))]))
        }
      },
      changed: {}, resized: { _, _, _ in }, touched: { _ in }, damaged: observer.damaged)

    private func reached(_ kind: SchedulePoint.Kind, _ address: UInt) {
      let me = execution.pointee.holder
      let (goesOn, slot) = execution.pointee.reach(kind, address)
      if !goesOn {
        handOn()
        Self.wait(seats[me].semaphore)
      }
      stopIfFreed(address)
      execution.pointee.record(kind, slot: slot)
    }

    /// Ends the execution before memory is touched that somebody has freed, perhaps while this processor waited to go on.
    private func stopIfFreed(_ address: UInt) {
      guard execution.pointee.isFreed(address) else { return }
      end(.useAfterFree(thread: actor, word: execution.pointee.number(ofWordAt: address)))
    }

    /// Ends the execution where the calling thread stands. It never goes on.
    private func end(_ ending: Ending) {
      execution.pointee.ending = ending
      sem_post(done)
      while true { sem_wait(holderSeat.semaphore) }
    }

    private func handOn() {
      sem_post(execution.pointee.isOver ? done : seats[execution.pointee.holder].semaphore)
    }

    private static func launch(_ seat: Seat) {
      let argument = Unmanaged.passRetained(seat).toOpaque()
      pthread_create(
        &seat.thread, nil,
        { argument in
          guard let argument else { return nil }
          let seat = Unmanaged<Seat>.fromOpaque(argument).takeRetainedValue()
          let owner = seat.owner
          cl_stay_on_processor(owner.hostProcessor)
          cl_use_signal_stack(seat.signalStack, UInt(Seat.signalStackBytes))
          VirtualProcessors.wait(seat.semaphore)
          while !owner.isQuitting {
            owner.execution.pointee.record(.load, slot: -1)
            seat.body?()
            seat.body = nil
            owner.execution.pointee.finish()
            owner.lookAtWhatIsLeft()
            owner.handOn()
            VirtualProcessors.wait(seat.semaphore)
          }
          sem_post(owner.done)
          return nil
        }, argument)
      pthread_detach(seat.thread)
    }

    private func lookAtWhatIsLeft() {
      guard execution.pointee.haveAllEnded, let body = afterwards else { return }
      isAfterwards = true
      afterwards = nil
      SchedulePoint.observer = Self.observerAfterwards
      body()
    }

    private static func wait(_ semaphore: UnsafeMutablePointer<sem_t>) {
      while sem_wait(semaphore) != 0 {}
    }

    deinit {
      execution.deinitialize(count: 1)
      execution.deallocate()
      for seat in seats {
        sem_destroy(seat.semaphore)
        seat.semaphore.deallocate()
        seat.signalStack.deallocate()
      }
      sem_destroy(done)
      done.deallocate()
    }

  }

#endif
