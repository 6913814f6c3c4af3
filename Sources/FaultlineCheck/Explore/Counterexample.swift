#if ModelCheck

  import Faultline
  import Glibc

  /// A schedule under which something breaks, told so that a person can follow it.
  public struct Counterexample: CustomStringConvertible {
    public let scenario: String
    /// What does not hold, or how the execution ended.
    public let problems: [String]
    public let saved: SavedSchedule
    /// Preemptions and forced switches, in order, with what each thread did to words that another one uses too.
    public let story: [String]

    init(
      scenario: Scenario, bugs: Set<SeededBug>, schedule: Schedule, problems: [String],
      execution: UnsafeMutablePointer<Execution>, names: WordNames
    ) {
      self.scenario = scenario.name
      self.problems = problems.map { Self.naming($0, execution, names) }
      let bug = SeededBug.allCases.first { bugs.contains($0) }
      saved = SavedSchedule(scenario: scenario.name, bug: bug?.rawValue, schedule: schedule)
      story = Story(scenario, execution, names).lines
    }

    /// What goes to a file: the story as remarks, the schedule as lines.
    public var text: String {
      (problems + story).flatMap { $0.split(separator: "\n") }.map { "# \($0)\n" }.joined() + saved.text
    }

    public var description: String {
      "\(scenario): " + problems.joined(separator: "\n  ") + "\n" + story.map { "  " + $0 }.joined(separator: "\n")
    }

    static func describe(_ ending: Ending, _ scenario: Scenario) -> String {
      func name(_ thread: Int) -> String {
        thread < scenario.threads.count ? scenario.threads[thread].name : "the check afterwards"
      }
      return switch ending {
      case .finished: "nothing"
      case .deadlock(let waiting):
        "deadlock: "
          + waiting.map { "\(name($0.thread)) waits for {word \($0.word)}" }.joined(separator: ", ")
      case .useAfterFree(let thread, let word):
        "use after free: \(name(thread)) touches {word \(word)}"
      case .damaged(let thread): "\(name(thread)) was given memory to which somebody had written while it was free"
      case .trapped(let thread, let signal):
        "\(name(thread)) trapped: \(String(cString: strsignal(signal)))"
      case .endless: "no end after \(Execution.stepLimit) operations"
      }
    }

    /// Puts names where ``describe(_:_:)`` left numbers.
    private static func naming(
      _ problem: String, _ execution: UnsafeMutablePointer<Execution>, _ names: WordNames
    ) -> String {
      guard problem.contains("{word ") else { return problem }
      var text = problem
      while let start = text.firstIndex(of: "{"), let end = text[start...].firstIndex(of: "}") {
        let number = Int(text[start..<end].drop { !$0.isNumber }) ?? 0
        text.replaceSubrange(start...end, with: names.name(of: number, in: execution))
      }
      return text
    }
  }

  /// An execution turn by turn.
  ///
  /// Only operations on words that one thread uses and another changes, or that somebody waits for, are told: the others
  /// order nothing.
  struct Story {
    /// What a person can still read; an endless execution has more.
    private static let lineLimit = 400

    let lines: [String]

    init(_ scenario: Scenario, _ execution: UnsafeMutablePointer<Execution>, _ names: WordNames) {
      let steps = execution.pointee.steps
      var users = [ProcessorSet](repeating: 0, count: execution.pointee.words.addresses.count)
      var isChanged = [Bool](repeating: false, count: users.count)
      for step in steps where step.word >= 0 {
        users[Int(step.word)] |= 1 << step.thread
        if step.isChange { isChanged[Int(step.word)] = true }
      }
      var isTold = zip(users, isChanged).map { $0.nonzeroBitCount > 1 && $1 }
      let waiting = execution.pointee.waiting
      for wait in waiting { isTold[wait.word] = true }
      let lastSteps = scenario.threads.indices.map { thread in steps.lastIndex { Int($0.thread) == thread } }
      var lines: [String] = []
      var thread: UInt8?
      for (number, step) in steps.enumerated() {
        guard lines.count < Self.lineLimit else {
          lines.append("… and so on, \(steps.count) operations in all")
          break
        }
        if step.thread != thread {
          thread = step.thread
          lines.append("\(scenario.threads[Int(step.thread)].name):")
        }
        if step.word >= 0, isTold[Int(step.word)] {
          let line = "  \(Self.verb(step)) \(names.name(of: Int(step.word), in: execution))"
          if lines.last != line { lines.append(line) }
        }
        guard number == lastSteps[Int(step.thread)] else { continue }
        if let wait = waiting.first(where: { $0.thread == Int(step.thread) }) {
          lines.append("  waits for \(names.name(of: wait.word, in: execution))")
        } else if execution.pointee.hasEnded(Int(step.thread)) {
          lines.append("  is done")
        }
      }
      self.lines = lines
    }

    private static func verb(_ step: Step) -> String {
      switch step.kind {
      case .load: "reads"
      case .store: "sets"
      case .update: step.isChange ? "changes" : "leaves"
      case .spin: "waits for"
      }
    }
  }

#endif
