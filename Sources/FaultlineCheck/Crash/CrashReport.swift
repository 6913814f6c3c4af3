/// What was tried of one scenario, and what came out.
public struct CrashReport: Sendable {
  public let scenario: String
  /// Events of the recording: a crash may come before and after each.
  public internal(set) var points = 0
  /// Points between which nothing becomes durable and nothing is promised share their images; of these groups, those of
  /// which every image was tried.
  public internal(set) var exhaustiveGroups = 0
  /// Those of which some were.
  public internal(set) var sampledGroups = 0
  /// Images that differ.
  public internal(set) var images = 0
  /// Images recovered and checked: one for each time that more had been promised.
  public internal(set) var checks = 0
  /// Recoveries that were cut off by another crash, at each of their points.
  public internal(set) var recoveries = 0
  /// Images that they left.
  public internal(set) var recoveryImages = 0
  /// The first image that breaks a promise, made small; `nil` when all hold.
  public internal(set) var finding: CrashFinding?

  init(scenario: String) { self.scenario = scenario }
}

/// A crash after which a promise does not hold.
public struct CrashFinding: Sendable, CustomStringConvertible {
  /// What is broken.
  public let problems: [String]
  /// What repeats it.
  public let saved: SavedCrash
  /// What happened up to the crash, and what of it was lost, for a person to read.
  public let story: [String]
  /// The bytes of the device after the crash, before recovery.
  public let image: [UInt8]

  public var description: String {
    (["\(saved.scenario): \(problems.joined(separator: "; "))"] + story.map { "  " + $0 }).joined(separator: "\n")
  }

  /// What goes to a file: the story as remarks, the crash as lines.
  public var text: String {
    (problems + story).flatMap { $0.split(separator: "\n") }.map { "# \($0)\n" }.joined() + saved.text
  }
}
