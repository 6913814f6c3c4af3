#if ModelCheck

  /// Makes given choices, then lets each processor run until it must wait.
  struct PrefixScheduler: Scheduler {
    let prefix: [UInt8]

    mutating func choose(_ step: Int, among enabled: ProcessorSet, running: Int) -> Int {
      if step < prefix.count, enabled & (1 << ProcessorSet(prefix[step])) != 0 { return Int(prefix[step]) }
      return Self.staying(running, among: enabled)
    }

    /// The processor that ran last if it can go on, else the first that can.
    static func staying(_ running: Int, among enabled: ProcessorSet) -> Int {
      enabled & (1 << ProcessorSet(running)) != 0 ? running : enabled.trailingZeroBitCount
    }
  }

  /// Follows a schedule as far as it fits: a turn also ends where its processor must wait, and one that cannot begin is left
  /// out. So a schedule from which turns were taken still means something.
  struct TurnScheduler: Scheduler {
    private let turns: [Schedule.Turn]
    private var position = 0
    private var steps = 0

    init(_ schedule: Schedule) { turns = schedule.turns }

    mutating func choose(_ step: Int, among enabled: ProcessorSet, running: Int) -> Int {
      while position < turns.count {
        let turn = turns[position]
        if steps < turn.steps, enabled & (1 << ProcessorSet(turn.thread)) != 0 {
          steps += 1
          return turn.thread
        }
        position += 1
        steps = 0
      }
      return PrefixScheduler.staying(running, among: enabled)
    }
  }

  /// Random priorities: the processor with the highest one runs, and at a few random steps the one that runs becomes the last.
  ///
  /// A bug that needs d orders is found with a probability of at least 1 in n·k^(d−1), n processors and k steps. Source:
  /// Burckhardt et al., A randomized scheduler with probabilistic guarantees of finding bugs, 2010.
  struct PriorityScheduler: Scheduler {
    private var priorities = InlineArray<4, Int>(repeating: 0)
    private var changes: [Int]
    private var lowest = 0

    /// - Parameters:
    ///   - steps: about how many an execution has.
    ///   - changes: how often the one that runs is put last.
    init(seed: UInt64, threads: Int, steps: Int, changes: Int) {
      var random = SplitMix(state: seed)
      for (place, thread) in Array(0..<threads).shuffled(using: &random).enumerated() {
        priorities[thread] = place + 1
      }
      self.changes = (0..<changes).map { _ in Int.random(in: 1...max(1, steps), using: &random) }
    }

    mutating func choose(_ step: Int, among enabled: ProcessorSet, running: Int) -> Int {
      for change in changes where change == step {
        lowest -= 1
        priorities[highest(among: enabled)] = lowest
      }
      return highest(among: enabled)
    }

    private func highest(among enabled: ProcessorSet) -> Int {
      var best = enabled.trailingZeroBitCount
      for thread in 0..<4 where enabled & (1 << ProcessorSet(thread)) != 0 && priorities[thread] > priorities[best] {
        best = thread
      }
      return best
    }
  }

  /// Random numbers that are the same on every machine. Source: Steele et al., Fast splittable pseudorandom number
  /// generators, 2014.
  struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
      return mixed ^ mixed >> 31
    }
  }

#endif
