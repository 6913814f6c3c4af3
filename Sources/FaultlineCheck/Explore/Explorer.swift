#if ModelCheck

  import Faultline

  /// # Explore
  ///
  /// Runs small races of the engine in every order that matters, or in many random ones, and says what breaks.
  ///
  /// A scenario's threads run on virtual processors, one operation on a shared word at a time (`VirtualProcessors`,
  /// `Execution`). `DepthFirstSearch` leaves out what differs only in the order of independent operations
  /// (`RaceAnalysis`); `PriorityScheduler` draws schedules at random. A schedule is who ran for how long, so it repeats.
  ///
  /// Laws
  /// 1. A scenario, a bound or a seed give the same executions everywhere: no address and no clock decides anything.
  /// 2. Sequential consistency only: weaker orders are argued where they are used and are the thread sanitizer's matter.
  /// 3. One explorer at a time in a process: every shared word of the engine reports to it.
  public final class Explorer {
    public let scenario: Scenario
    public let bugs: Set<SeededBug>
    private var processors: VirtualProcessors

    public init(_ scenario: Scenario, bugs: Set<SeededBug> = []) {
      self.scenario = scenario
      self.bugs = bugs
      processors = VirtualProcessors(count: scenario.threadCount, scheduler: PrefixScheduler(prefix: []))
    }

    deinit { processors.quit() }

    /// How far an exploration is.
    public struct Progress: Sendable {
      public internal(set) var schedules = 0
      /// Decisions that were taken for the first time.
      public internal(set) var states = 0
      /// Operations on shared words.
      public internal(set) var steps = 0
      public internal(set) var longest = 0
    }

    /// Explores every order within `bound` preemptions.
    ///
    /// - Parameter progress: called now and then; `false` ends the search.
    /// - Returns: the first finding, made as short as it gets.
    public func exhaust(
      bound: Int, limit: Int = .max, _ progress: (Progress) -> Bool = { _ in true }
    ) throws -> (finding: Counterexample?, progress: Progress) {
      var search = DepthFirstSearch(bound: bound)
      var done = Progress()
      while done.schedules < limit {
        let problems = try attempt(PrefixScheduler(prefix: search.prefix))
        count(&done)
        done.states = search.states
        if !problems.isEmpty { return (try shorten(schedule, problems), done) }
        let isLeft = search.advance(past: processors.execution.pointee.steps)
        done.states = search.states
        if !isLeft { break }
        if done.schedules % 256 == 0, !progress(done) { break }
      }
      return (nil, done)
    }

    /// Draws `count` random schedules.
    public func draw(
      count: Int, seed: UInt64, _ progress: (Progress) -> Bool = { _ in true }
    ) throws -> (finding: Counterexample?, progress: Progress) {
      var done = Progress()
      for number in 0..<count {
        let problems = try attempt(
          PriorityScheduler(
            seed: seed &+ UInt64(number), threads: scenario.threadCount, steps: max(64, done.longest),
            changes: 1 + number % 4))
        self.count(&done)
        done.states = done.steps
        if !problems.isEmpty { return (try shorten(schedule, problems), done) }
        if done.schedules % 256 == 0, !progress(done) { break }
      }
      return (nil, done)
    }

    /// Repeats one schedule.
    ///
    /// - Returns: what it breaks, as a story; `nil` when nothing.
    public func replay(_ schedule: Schedule) throws -> Counterexample? {
      var names: WordNames?
      let problems = try attempt(TurnScheduler(schedule)) { names = WordNames($0.machine) }
      guard !problems.isEmpty, var names else { return nil }
      if isWhole { names.add(stage?.machine) }
      return Counterexample(
        scenario: scenario, bugs: bugs, schedule: self.schedule, problems: problems, execution: processors.execution,
        names: names)
    }

    // MARK: One execution

    private var stage: Stage?

    private var isWhole: Bool { processors.execution.pointee.ending == .finished }

    /// Runs the scenario once and says what does not hold.
    private func attempt(_ scheduler: any Scheduler, _ prepared: (Stage) -> Void = { _ in }) throws -> [String] {
      if !isWhole { replaceProcessors() }
      let stage = try Stage(scenario.stage)
      stage.machine.switches.bugs = bugs
      EpochDomain.isEager = true
      defer { EpochDomain.isEager = false }
      prepared(stage)
      self.stage = stage
      let bodies = scenario.threads.map { thread in { stage.perform(thread) } }
      var problems: [String] = []
      processors.run(bodies, under: scheduler) { problems = stage.check() }
      guard isWhole else {
        // Its threads stand in the middle of something and keep what they use.
        _ = Unmanaged.passRetained(stage)
        return [Counterexample.describe(processors.execution.pointee.ending, scenario)]
      }
      // A broken machine cannot be taken apart.
      if !problems.isEmpty { _ = Unmanaged.passRetained(stage) }
      return problems
    }

    private func replaceProcessors() {
      processors.quit()
      processors = VirtualProcessors(count: scenario.threadCount, scheduler: PrefixScheduler(prefix: []))
    }

    private func count(_ progress: inout Progress) {
      let steps = processors.execution.pointee.steps.count
      progress.schedules += 1
      progress.steps += steps
      progress.longest = max(progress.longest, steps)
    }

    /// Who ran for how long in the last execution.
    private var schedule: Schedule {
      var turns: [Schedule.Turn] = []
      for step in processors.execution.pointee.steps {
        if turns.last?.thread == Int(step.thread) {
          turns[turns.count - 1].steps += 1
        } else {
          turns.append(Schedule.Turn(thread: Int(step.thread), steps: 1))
        }
      }
      return Schedule(turns: turns)
    }

    /// Leaves out turns as long as something still breaks: what remains is the shortest story.
    private func shorten(_ found: Schedule, _ problems: [String]) throws -> Counterexample? {
      var best = found
      var place = 0
      var attempts = 0
      while place < best.turns.count, attempts < 200 {
        attempts += 1
        var shorter = best
        shorter.turns.remove(at: place)
        if try !attempt(TurnScheduler(shorter)).isEmpty, schedule.turns.count < best.turns.count {
          best = schedule
          place = 0
        } else {
          place += 1
        }
      }
      return try replay(best)
        ?? Counterexample(
          scenario: scenario, bugs: bugs, schedule: found, problems: problems, execution: processors.execution,
          names: WordNames(nil))
    }
  }

#endif
