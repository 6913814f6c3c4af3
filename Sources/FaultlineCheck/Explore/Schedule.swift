/// Who runs for how long: enough to repeat an execution of a scenario.
public struct Schedule: Hashable, Sendable {
  /// A run of one virtual processor without a switch.
  public struct Turn: Hashable, Sendable {
    /// The processor, in the order of the scenario's threads.
    public var thread: Int
    /// How many operations on shared words it makes, its start included.
    public var steps: Int
  }

  public var turns: [Turn]

  public init(turns: [Turn]) { self.turns = turns }
}

/// A schedule with what it belongs to, as it is kept in a file.
public struct SavedSchedule: Sendable {
  public let scenario: String
  public let bug: String?
  public let schedule: Schedule

  public init(scenario: String, bug: String?, schedule: Schedule) {
    self.scenario = scenario
    self.bug = bug
    self.schedule = schedule
  }

  /// Lines `scenario NAME`, `bug NAME` and `turn THREAD STEPS`; what begins with `#` is for people.
  public var text: String {
    var lines = ["scenario \(scenario)"]
    if let bug { lines.append("bug \(bug)") }
    lines += schedule.turns.map { "turn \($0.thread) \($0.steps)" }
    return lines.joined(separator: "\n") + "\n"
  }

  /// - Throws: ``ScheduleError`` with the line that is not understood.
  public init(parsing text: String) throws(ScheduleError) {
    var scenario: String?
    var bug: String?
    var turns: [Schedule.Turn] = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.split(separator: " ")
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      switch (first, words.count) {
      case ("scenario", 2): scenario = String(words[1])
      case ("bug", 2): bug = String(words[1])
      case ("turn", 3):
        guard let thread = Int(words[1]), let steps = Int(words[2]), (0..<4).contains(thread), steps > 0 else {
          throw ScheduleError(line: number + 1, text: String(line))
        }
        turns.append(Schedule.Turn(thread: thread, steps: steps))
      default: throw ScheduleError(line: number + 1, text: String(line))
      }
    }
    guard let scenario else { throw ScheduleError(line: 1, text: "there is no line 'scenario NAME'") }
    self.init(scenario: scenario, bug: bug, schedule: Schedule(turns: turns))
  }
}

/// A schedule file that cannot be read.
public struct ScheduleError: Error, Hashable, Sendable, CustomStringConvertible {
  public let line: Int
  public let text: String

  public var description: String {
    "line \(line) of the schedule is not understood: \(text) (want 'scenario NAME', 'bug NAME' or 'turn THREAD STEPS')"
  }
}
