import Faultline

/// What one window size of fault-around comes to for one load. Counted by the engine, but for the time.
public struct AroundOutcome: Sendable, Equatable {
  /// The window is 2 to this many pages.
  public let order: Int
  /// Minor and major.
  public let faults: UInt64
  /// Page-table entries that faults and fault-around made.
  public let pagesMapped: UInt64
  /// Estimated by a ``CostModel``.
  public let nanoseconds: Double

  public var windowPages: UInt64 { 1 << UInt64(order) }

  init(order: Int, counts: ReplayCounts, costs: any CostModel) {
    self.order = order
    faults = counts.faults
    pagesMapped = counts.pagesMapped
    nanoseconds = costs.nanoseconds(for: counts)
  }
}

/// One load under every window size.
public struct AroundSweep: Sendable {
  /// Every size that the kernel's knob takes: 1 page, which is off, to 512.
  public static let orders = 0...9

  public let name: String
  /// What the load is, for people.
  public let about: String
  /// By order, ascending.
  public let outcomes: [AroundOutcome]
  /// What Linux was measured to do with such a load in 2014.
  public let published: PublishedSweep?
  /// File faults that a kernel with its window of 16 pages counted in this very load; nil without such a recording.
  public internal(set) var recordedFaults: UInt64?

  public subscript(order: Int) -> AroundOutcome { outcomes[order] }

  /// Faults under a window as a share of those without fault-around.
  public func faultShare(_ order: Int) -> Double {
    Double(outcomes[order].faults) / Double(max(1, outcomes[0].faults))
  }

  /// The same for the estimated time.
  public func timeShare(_ order: Int) -> Double {
    outcomes[0].nanoseconds > 0 ? outcomes[order].nanoseconds / outcomes[0].nanoseconds : 1
  }
}

extension AroundSweep {
  /// Replays a trace of first touches with every file page resident, programs and libraries included.
  /// - Throws: ``WhatIfError``.
  public init(name: String, trace: Trace, costs: any CostModel) throws(WhatIfError) {
    let survey = TraceSurvey(trace)
    var outcomes: [AroundOutcome] = []
    for order in AroundSweep.orders {
      let counts = try AroundSweep.counts(of: trace, survey, order: order)
      outcomes.append(AroundOutcome(order: order, counts: counts, costs: costs))
    }
    self.init(
      name: name, about: survey.command.joined(separator: " "), outcomes: outcomes, published: .gitTestSuite)
  }

  /// What a trace comes to under one window.
  /// - Throws: ``WhatIfError``.
  static func counts(of trace: Trace, _ survey: TraceSurvey, order: Int) throws(WhatIfError) -> ReplayCounts {
    let chosen = try ChosenFiles(survey, by: FileChoice(includesText: true))
    let policy = Policy(name: "order \(order)", faultAroundBytes: PageSize.bytes << UInt64(order))
    var replayer = try Replayer(trace, chosen: chosen, policy: policy, cache: .warm, rules: survey.kernelRules)
    return try replayer.run { _ in }
  }

  /// Touches the pages of one cached file in the order of a pattern.
  /// - Throws: `ENOMEM` when the engine gets no memory for the file.
  public init(pattern: AroundPattern, costs: any CostModel) throws(KernelError) {
    var outcomes: [AroundOutcome] = []
    for order in AroundSweep.orders {
      outcomes.append(AroundOutcome(order: order, counts: try pattern.counts(order: order), costs: costs))
    }
    self.init(name: pattern.kind.name, about: pattern.about, outcomes: outcomes, published: pattern.kind.published)
  }

  private init(name: String, about: String, outcomes: [AroundOutcome], published: PublishedSweep?) {
    self.name = name
    self.about = about
    self.outcomes = outcomes
    self.published = published
  }
}
