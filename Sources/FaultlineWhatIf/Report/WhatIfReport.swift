/// # Report
///
/// One answer in three forms: a table for people, JSON and CSV for programs.
///
/// Laws
/// 1. Every number is called counted, measured or estimated; what a reader must know to read it right is a note.
/// 2. The order of rows, keys and columns is written down here and nowhere depends on hashing.
///
/// This folder calls `Policy/`, `Cost/` and the counts of `Replay/` and `Verify/`.

/// The answer of a what-if: one outcome for each policy, and what they rest on.
public struct WhatIfReport: Sendable {
  /// The recorded command.
  public var program: [String]
  /// Name of the kernel whose rules were followed.
  public var kernelRules: String
  public var cache: CacheStart
  public var trace: TraceSummary
  public var costs: EventCosts
  public var outcomes: [PolicyOutcome]
  /// Sentences that the reader must know to read the table right.
  public var notes: [String]
  public var verification: [PolicyVerification]
  /// Conditions that were asked for, checked.
  public var assertions: [AssertionResult] = []

  public init(
    program: [String], kernelRules: String, cache: CacheStart, trace: TraceSummary, costs: EventCosts,
    outcomes: [PolicyOutcome], notes: [String] = [], verification: [PolicyVerification] = []
  ) {
    self.program = program
    self.kernelRules = kernelRules
    self.cache = cache
    self.trace = trace
    self.costs = costs
    self.outcomes = outcomes
    self.notes = notes
    self.verification = verification
  }

  /// What an estimate must gain before it counts as a gain.
  static let leastGain = 0.05

  /// Position of the policy with the least estimated time. The program as recorded stays best until something is
  /// estimated to be at least 5 % faster, for no estimate here is finer than that.
  public var bestIndex: Int? { best { _ in true } }

  /// The same among policies that a program can put itself under, without changing the machine.
  var bestOwnIndex: Int? {
    best { $0.readahead == .device && $0.faultAroundBytes == Policy.defaultFaultAroundBytes }
  }

  private func best(where isAllowed: (Policy) -> Bool) -> Int? {
    let allowed = outcomes.indices.filter { isAllowed(outcomes[$0].policy) }
    guard let fastest = allowed.min(by: { outcomes[$0].estimated < outcomes[$1].estimated }) else { return nil }
    let bar = recordedIndex.map { outcomes[$0].estimated * (1 - WhatIfReport.leastGain) }
    if let recordedIndex, let bar, outcomes[fastest].estimated >= bar { return recordedIndex }
    return fastest
  }

  /// Position of the policy that changes nothing.
  public var recordedIndex: Int? { outcomes.firstIndex { $0.policy.hasSameEffect(as: .asRecorded) } }
}

/// What the recording holds, as far as the chosen files go.
public struct TraceSummary: Sendable, Equatable {
  /// Touches of the chosen files, timed and untimed.
  public var touches: Int
  /// Those without a time of their own.
  public var untimed: Int
  /// Faults of the whole recording that the kernel dropped.
  public var lost: Int
  /// Recorded with the kernel's own fault-around.
  public var isCoarse: Bool
  public var files: [File]
  /// A chosen file grew during the recording.
  public var hasGrown = false

  public struct File: Sendable, Equatable {
    public var path: String
    /// The file's largest size during the recording.
    public var pages: UInt64
    /// Pages in the page cache before the program started; nil where the kernel does not tell.
    public var residentBefore: UInt64?

    public init(path: String, pages: UInt64, residentBefore: UInt64?) {
      self.path = path
      self.pages = pages
      self.residentBefore = residentBefore
    }
  }

  public init(touches: Int, untimed: Int, lost: Int, isCoarse: Bool, files: [File]) {
    self.touches = touches
    self.untimed = untimed
    self.lost = lost
    self.isCoarse = isCoarse
    self.files = files
  }
}

/// What one policy comes to.
public struct PolicyOutcome: Sendable, Equatable {
  public var policy: Policy
  public var counts: ReplayCounts
  /// Estimated nanoseconds.
  public var estimated: Double
  /// The readahead that was in force, in bytes; nil when the chosen files lie on devices that differ.
  public var readaheadBytes: UInt64?

  public init(policy: Policy, counts: ReplayCounts, estimated: Double, readaheadBytes: UInt64?) {
    self.policy = policy
    self.counts = counts
    self.estimated = estimated
    self.readaheadBytes = readaheadBytes
  }
}
