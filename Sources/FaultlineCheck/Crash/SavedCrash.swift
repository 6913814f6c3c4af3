/// One crash of one scenario: when, and what did not survive.
public struct SavedCrash: Sendable, Hashable {
  public let scenario: String
  public let cut: Cut
  /// The crash that cut off the recovery after the first, where that is what breaks something.
  public let recovery: Cut?

  /// When the power went, and what was lost.
  public struct Cut: Sendable, Hashable {
    /// Events before it.
    public let events: Int
    /// Lines that lost stores, with the number of stores that each kept since it was last durable; ascending. All others
    /// kept everything.
    public private(set) var losses: [Loss]

    public init(events: Int, losses: [Loss]) {
      self.events = events
      self.losses = losses.sorted { $0.line < $1.line }
    }

    fileprivate func text(_ word: String) -> [String] {
      ["\(word) \(events)"] + losses.map { "loses \($0.line) \($0.kept)" }
    }
  }

  public struct Loss: Sendable, Hashable {
    /// Counted from the start of the device, in lines of 64 bytes.
    public let line: UInt64
    public let kept: Int

    public init(line: UInt64, kept: Int) {
      self.line = line
      self.kept = kept
    }
  }

  public init(scenario: String, _ cut: Cut, recovery: Cut? = nil) {
    self.scenario = scenario
    self.cut = cut
    self.recovery = recovery
  }

  /// Lines `scenario NAME`, `crash EVENTS` and `loses LINE KEPT`, for a crash during recovery `recovery EVENTS` and its own
  /// losses behind; what begins with `#` is for people.
  public var text: String {
    (["scenario \(scenario)"] + cut.text("crash") + (recovery?.text("recovery") ?? [])).map { $0 + "\n" }.joined()
  }

  /// - Throws: ``SavedCrashError`` with the line that is not understood.
  public init(parsing text: String) throws(SavedCrashError) {
    var scenario: String?
    /// The crash, and the one during recovery.
    var events: [Int] = []
    var losses: [[Loss]] = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.split(separator: " ")
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      switch (first, words.count, events.count) {
      case ("scenario", 2, _):
        scenario = String(words[1])
        continue
      case ("crash", 2, 0), ("recovery", 2, 1):
        if let count = Int(words[1]), count >= 0 {
          events.append(count)
          losses.append([])
          continue
        }
      case ("loses", 3, 1...):
        if let line = UInt64(words[1]), let kept = Int(words[2]), kept >= 0 {
          losses[events.count - 1].append(Loss(line: line, kept: kept))
          continue
        }
      default: break
      }
      throw SavedCrashError("line \(number + 1), \"\(line)\", is no line of a saved crash")
    }
    guard let scenario, !events.isEmpty else {
      throw SavedCrashError("a saved crash has a line scenario NAME and a line crash EVENTS")
    }
    let cuts = zip(events, losses).map { Cut(events: $0, losses: $1) }
    self.init(scenario: scenario, cuts[0], recovery: cuts.count > 1 ? cuts[1] : nil)
  }
}

/// A saved crash that cannot be understood, or that does not fit its scenario.
public struct SavedCrashError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What does not fit, for a person to read.
  public let message: String

  init(_ message: String) { self.message = message }

  public var description: String { message }
}
