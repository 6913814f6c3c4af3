#if ModelCheck

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

    /// Runs the bodies under a scheduler, until they ended or cannot go on.
    func run(_ bodies: [Body], under scheduler: any Scheduler) {
      execution.pointee.begin(scheduler, threads: bodies.count)
      for (seat, body) in zip(seats, bodies) { seat.body = body }
      Self.current = Unmanaged.passUnretained(self)
      execution.pointee.start()
      SchedulePoint.observer = Self.observer
      sem_post(seats[execution.pointee.holder].semaphore)
      Self.wait(done)
      SchedulePoint.observer = nil
      Self.current = nil
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
      })

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
      let me = execution.pointee.holder
      execution.pointee.endAsUseAfterFree(address)
      handOn()
      Self.wait(seats[me].semaphore)
    }

    private func handOn() {
      sem_post(execution.pointee.isOver ? done : seats[execution.pointee.holder].semaphore)
    }

    private static func launch(_ seat: Seat) {
      var thread = pthread_t()
      let argument = Unmanaged.passRetained(seat).toOpaque()
      pthread_create(
        &thread, nil,
        { argument in
          guard let argument else { return nil }
          let seat = Unmanaged<Seat>.fromOpaque(argument).takeRetainedValue()
          let owner = seat.owner
          VirtualProcessors.wait(seat.semaphore)
          while !owner.isQuitting {
            owner.execution.pointee.record(.load, slot: -1)
            seat.body?()
            seat.body = nil
            owner.execution.pointee.finish()
            owner.handOn()
            VirtualProcessors.wait(seat.semaphore)
          }
          sem_post(owner.done)
          return nil
        }, argument)
      pthread_detach(thread)
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
      }
      sem_destroy(done)
      done.deallocate()
    }

  }

#endif
