import Faultline

/// What one window size of fault-around comes to for one load. Counted by the engine, but for the time.
public struct AroundOutcome: Sendable, Equatable {
  /// The window is 2 to this many pages, 0 (off) to 9.
  public let order: Int
  /// Minor and major.
  public let faults: UInt64
  /// Page-table entries that faults and fault-around made.
  public let pagesMapped: UInt64
  /// Estimated by a ``CostModel``.
  public let nanoseconds: Double

  public var windowPages: UInt64 { 1 << UInt64(order) }
}

/// One load under every window size.
public struct AroundSweep: Sendable {
  /// Every size that the kernel's knob takes.
  public static let orders = 0...9

  public let name: String
  /// What the load is, for people.
  public let about: String
  /// By order, ascending.
  public let outcomes: [AroundOutcome]

  /// Replays a trace of first touches, every file page resident.
  /// - Throws: ``WhatIfError``.
  public init(name: String, trace: Trace, costs: any CostModel) throws(WhatIfError) {
    let survey = TraceSurvey(trace)
    let chosen = try ChosenFiles(survey, by: FileChoice(includesText: true))
    self.name = name
    about = survey.command.joined(separator: " ")
    var outcomes: [AroundOutcome] = []
    for order in AroundSweep.orders {
      let policy = Policy(name: "order \(order)", faultAroundBytes: 4096 << UInt64(order))
      var replayer = try Replayer(
        trace, chosen: chosen, policy: policy, cache: .warm, rules: survey.kernelRules)
      let counts = try replayer.run { _ in }
      outcomes.append(
        AroundOutcome(
          order: order, faults: counts.faults, pagesMapped: counts.pagesMapped,
          nanoseconds: costs.nanoseconds(for: counts)))
    }
    self.outcomes = outcomes
  }
}
