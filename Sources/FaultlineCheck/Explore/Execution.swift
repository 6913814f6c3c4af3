#if ModelCheck

  import Faultline
  import Glibc

  /// Who goes on at a scheduling point.
  protocol Scheduler {
    /// One of `enabled`, which is not empty.
    ///
    /// - Parameters:
    ///   - step: how many operations were made so far.
    ///   - running: the processor that ran last; it may not be enabled any more.
    mutating func choose(_ step: Int, among enabled: ProcessorSet, running: Int) -> Int
  }

  /// How an execution ended.
  enum Ending: Equatable {
    case finished
    /// Nobody can go on: each processor that is left with the word it waits for.
    case deadlock([(thread: Int, word: Int)])
    case useAfterFree(thread: Int, word: Int)
    /// Memory came from its allocator other than it went there.
    case damaged(thread: Int)
    /// The engine itself gave up, or touched what is no memory.
    case trapped(thread: Int, signal: Int32)
    /// More operations than the bound.
    case endless

    static func == (left: Ending, right: Ending) -> Bool {
      switch (left, right) {
      case (.finished, .finished), (.deadlock, .deadlock), (.useAfterFree, .useAfterFree), (.endless, .endless),
        (.damaged, .damaged), (.trapped, .trapped):
        true
      default: false
      }
    }
  }

  /// One run of some bodies on virtual processors, one operation at a time.
  ///
  /// A virtual processor is a thread that runs only while it holds the baton; it looks who should have it before each
  /// operation on a shared word. So points at which nobody else is chosen cost no switch.
  struct Execution {
    /// Operations after which an execution is called endless.
    static let stepLimit = 20_000

    var steps: [Step] = []
    var words = WordTable()
    var ending = Ending.finished
    private var scheduler: any Scheduler
    private var running = 0
    private var enabled: ProcessorSet = 0
    private var left: ProcessorSet = 0
    private var waitsFor = InlineArray<4, Int>(repeating: -1)
    private var lastSlot = -1
    private var freed: [Range<UInt>] = []
    /// A bit for every host page, modulo 64, that ever was in ``freed``: most words are in none of them.
    private var freedPages: UInt64 = 0

    init(scheduler: any Scheduler) { self.scheduler = scheduler }

    mutating func begin(_ scheduler: any Scheduler, threads: Int) {
      self.scheduler = scheduler
      steps.removeAll(keepingCapacity: true)
      words.removeAll()
      freed.removeAll(keepingCapacity: true)
      freedPages = 0
      ending = .finished
      left = ProcessorSet((1 << threads) - 1)
      enabled = left
      waitsFor = InlineArray(repeating: -1)
      lastSlot = -1
      running = 0
    }

    var haveAllEnded: Bool { left == 0 }

    func hasEnded(_ thread: Int) -> Bool { left & (1 << ProcessorSet(thread)) == 0 }

    /// Each processor that waits, with the word that it waits for.
    var waiting: [(thread: Int, word: Int)] {
      (0..<WordTable.maximumProcessors).filter { waitsFor[$0] >= 0 }.map {
        (thread: $0, word: Int(words[waitsFor[$0]].number))
      }
    }

    var isOver: Bool { left == 0 || ending != .finished }

    /// The processor that holds the baton.
    var holder: Int { running }

    /// Decides who makes the first operation.
    mutating func start() { next(.load, slot: -1) }

    /// The processor that runs is about to do something.
    ///
    /// - Returns: whether it goes on at once.
    mutating func reach(_ kind: SchedulePoint.Kind, _ address: UInt) -> (goesOn: Bool, slot: Int) {
      let slot = words.slot(of: address)
      if kind == .spin, !hasChanged(slot, sinceLoadOf: running) {
        enabled &= ~(1 << ProcessorSet(running))
        waitsFor[running] = slot
      }
      let before = running
      next(kind, slot: slot)
      return (running == before && !isOver, slot)
    }

    func isFreed(_ address: UInt) -> Bool {
      freedPages & Self.bit(ofPageAt: address) != 0 && freed.contains { $0.contains(address) }
    }

    private static func bit(ofPageAt address: UInt) -> UInt64 { 1 << UInt64(address >> 12 & 63) }

    /// The number of the word at an address, new or known.
    mutating func number(ofWordAt address: UInt) -> Int { Int(words[words.slot(of: address)].number) }

    /// The processor that runs has come to its end.
    mutating func finish() {
      left &= ~(1 << ProcessorSet(running))
      enabled &= ~(1 << ProcessorSet(running))
      if left != 0 { next(.load, slot: -1) }
    }

    /// The baton is where it belongs and the operation will now be made.
    mutating func record(_ kind: SchedulePoint.Kind, slot: Int) {
      let thread = running
      let number = Int32(steps.count + 1)
      steps.append(
        Step(
          word: slot < 0 ? Step.noWord : words[slot].number, thread: UInt8(thread), kind: kind, enabled: choices,
          isChange: false))
      lastSlot = slot
      if slot >= 0, kind == .load { words[slot].loaded[thread] = number }
    }

    /// The last operation changed its word: whoever waits for that can go on.
    mutating func noteChange() {
      guard lastSlot >= 0, !steps.isEmpty else { return }
      steps[steps.count - 1].isChange = true
      words[lastSlot].changed[running] = Int32(steps.count)
      for thread in 0..<WordTable.maximumProcessors where thread != running && waitsFor[thread] == lastSlot {
        waitsFor[thread] = -1
        enabled |= 1 << ProcessorSet(thread)
      }
    }

    mutating func noteMemory(_ range: Range<UInt>, isFree: Bool) {
      guard isFree else { return freed.removeAll { $0.overlaps(range) } }
      freed.append(range)
      for page in stride(from: range.lowerBound & ~4095, to: range.upperBound, by: 4096) {
        freedPages |= Self.bit(ofPageAt: page)
      }
    }

    /// Who could have been chosen at the decision that comes next in ``steps``.
    private var choices: ProcessorSet = 0

    private mutating func next(_ kind: SchedulePoint.Kind, slot: Int) {
      guard enabled != 0 else {
        ending = .deadlock(waiting)
        return
      }
      guard steps.count < Self.stepLimit else {
        ending = .endless
        return
      }
      choices = enabled
      running = scheduler.choose(steps.count, among: enabled, running: running)
    }

    private func hasChanged(_ slot: Int, sinceLoadOf thread: Int) -> Bool {
      let seen = words[slot].loaded[thread]
      for other in 0..<WordTable.maximumProcessors where other != thread && words[slot].changed[other] > seen {
        return true
      }
      return false
    }
  }

#endif
