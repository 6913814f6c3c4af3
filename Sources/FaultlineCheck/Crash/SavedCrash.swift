/// One crash of one scenario: when, and what did not survive.
public struct SavedCrash: Sendable, Hashable {
  public let scenario: String
  /// Events before the crash.
  public let events: Int
  /// Lines that lost stores, with the number of stores that each kept since it was last durable; ascending. All others
  /// kept everything.
  public let losses: [Loss]

  public struct Loss: Sendable, Hashable {
    /// Counted from the start of the device, in lines of 64 bytes.
    public let line: UInt64
    public let kept: Int

    public init(line: UInt64, kept: Int) {
      self.line = line
      self.kept = kept
    }
  }

  public init(scenario: String, events: Int, losses: [Loss]) {
    self.scenario = scenario
    self.events = events
    self.losses = losses
  }

  /// Lines `scenario NAME`, `crash EVENTS` and `loses LINE KEPT`; what begins with `#` is for people.
  public var text: String {
    (["scenario \(scenario)", "crash \(events)"] + losses.map { "loses \($0.line) \($0.kept)" })
      .map { $0 + "\n" }.joined()
  }

  /// - Throws: ``SavedCrashError`` with the line that is not understood.
  public init(parsing text: String) throws(SavedCrashError) {
    var scenario: String?
    var events: Int?
    var losses: [Loss] = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.split(separator: " ")
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      switch (first, words.count) {
      case ("scenario", 2):
        scenario = String(words[1])
        continue
      case ("crash", 2):
        if let count = Int(words[1]), count >= 0 {
          events = count
          continue
        }
      case ("loses", 3):
        if let line = UInt64(words[1]), let kept = Int(words[2]), kept >= 0 {
          losses.append(Loss(line: line, kept: kept))
          continue
        }
      default: break
      }
      throw SavedCrashError("line \(number + 1), \"\(line)\", is no line of a saved crash")
    }
    guard let scenario, let events else {
      throw SavedCrashError("a saved crash has a line scenario NAME and a line crash EVENTS")
    }
    self.init(scenario: scenario, events: events, losses: losses.sorted { $0.line < $1.line })
  }
}

/// A saved crash that cannot be understood, or that does not fit its scenario.
public struct SavedCrashError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What does not fit, for a person to read.
  public let message: String

  init(_ message: String) { self.message = message }

  public var description: String { message }
}
