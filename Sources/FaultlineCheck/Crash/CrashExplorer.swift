/// Tries what a crash may leave at every point of a scenario.
///
/// Between two fences the images only become more: what a line may show after its third store includes what it may show
/// after its second. So all images of a group of points are those of its last one, before the fence or the promise that
/// ends it. There every set of survivors is tried, or, where they are too many, chosen ones; and at every store the
/// image in which everything survived.
public struct CrashExplorer: Sendable {
  public var limits: CrashLimits

  public init(_ limits: CrashLimits = CrashLimits()) { self.limits = limits }

  /// Runs the scenario once and tries its crashes until one breaks a promise.
  ///
  /// - Parameter progress: called now and then; `false` ends the exploration.
  /// - Throws: what the scenario throws while it prepares and runs.
  public func explore<Scenario: CrashScenario>(
    _ scenario: Scenario, progress: (CrashReport) -> Bool = { _ in true }
  ) throws -> CrashReport {
    try explore(scenario, progress) { trial, kept, search in
      let recovery = RecoveryScenario(of: trial, kept)
      let report = try CrashExplorer(limits.ofRecovery).explore(recovery, { _ in true }) { _, _, _ in true }
      return search.add(report, to: trial, kept)
    }
  }

  /// - Parameter cutOff: tries what a crash during the recovery of an image leaves; `false` ends the exploration.
  private func explore<Scenario: CrashScenario>(
    _ scenario: Scenario, _ progress: (CrashReport) -> Bool,
    _ cutOff: (CrashTrial<Scenario>, [Int], inout CrashSearch) throws -> Bool
  ) throws -> CrashReport {
    var trial = try CrashTrial(scenario)
    var search = CrashSearch(scenario.name)
    var groupStart = 0
    var isNew = true
    while true {
      let isEnd = trial.isBeforeChange
      if isEnd, isNew {
        var cut = CutOff(limits.recoveries)
        let survivors = Survivors(of: trial.lines.lines, within: limits)
        if survivors.combinations == nil {
          search.report.sampledGroups += 1
        } else {
          search.report.exhaustiveGroups += 1
        }
        let isDone = survivors.forEach(drawing: UInt64(trial.event)) {
          cut.offer($0)
          return search.isFine($0, of: trial, progress)
        }
        guard isDone else { return search.finish(trial, groupStart) }
        for kept in cut.chosen where try !cutOff(trial, kept, &search) { return search.report }
        isNew = false
      }
      guard !trial.isAtEnd else { return search.finish(trial, groupStart) }
      let version = trial.version
      trial.advance()
      search.report.points += 1
      if isEnd { groupStart = trial.event }
      if case .store = trial.recording.events[trial.event - 1] {
        isNew = true
        let everything = trial.lines.lines.map(\.stores.count)
        guard search.isFine(everything, of: trial, progress) else { return search.finish(trial, groupStart) }
      } else if trial.version != version {
        isNew = true
      }
    }
  }

  /// Repeats one crash of a scenario.
  ///
  /// - Returns: what is broken then; `nil` when nothing is.
  /// - Throws: ``SavedCrashError`` when the crash does not fit what the scenario does; what the scenario throws.
  public func replay<Scenario: CrashScenario>(_ saved: SavedCrash, of scenario: Scenario) throws -> CrashFinding? {
    let (trial, kept) = try replay(saved.cut, of: scenario)
    if let cut = saved.recovery {
      let recovery = RecoveryScenario(of: trial, kept)
      let (inner, innerKept) = try replay(cut, of: recovery)
      let problems = inner.problems(innerKept)
      guard !problems.isEmpty else { return nil }
      let finding = CrashFinding(of: inner, events: cut.events, kept: innerKept, problems: problems)
      return CrashFinding(finding, inRecoveryOf: trial, kept)
    }
    let problems = trial.problems(kept)
    return problems.isEmpty ? nil : CrashFinding(of: trial, events: saved.cut.events, kept: kept, problems: problems)
  }

  private func replay<Scenario: CrashScenario>(
    _ cut: SavedCrash.Cut, of scenario: Scenario
  ) throws -> (CrashTrial<Scenario>, kept: [Int]) {
    var trial = try CrashTrial(scenario)
    guard cut.events <= trial.recording.events.count else {
      throw SavedCrashError("\(scenario.name) has \(trial.recording.events.count) events, not \(cut.events)")
    }
    while trial.event < cut.events { trial.advance() }
    var kept = trial.lines.lines.map(\.stores.count)
    for loss in cut.losses {
      guard let place = trial.lines.lines.firstIndex(where: { $0.number == loss.line }), loss.kept <= kept[place] else {
        throw SavedCrashError("line \(loss.line) cannot keep only \(loss.kept) stores after \(cut.events) events")
      }
      kept[place] = loss.kept
    }
    return (trial, kept)
  }
}

/// Chooses images of one point whose recoveries are cut off: the last ones that are tried, for they are drawn where not all
/// are.
private struct CutOff {
  private let limit: Int
  private(set) var chosen: [[Int]] = []

  init(_ limit: Int) { self.limit = limit }

  mutating func offer(_ kept: [Int]) {
    guard limit > 0 else { return }
    if chosen.count == limit { chosen.removeFirst() }
    chosen.append(kept)
  }
}

/// What one exploration has tried so far.
struct CrashSearch {
  /// So many checks between two reports of progress.
  private static let reportEvery = 1000

  var report: CrashReport
  private var failing: [Int]?
  private var images: Set<UInt64> = []
  private var cases: Set<Case> = []

  private struct Case: Hashable {
    let image: UInt64
    let version: Int
  }

  init(_ scenario: String) { report = CrashReport(scenario: scenario) }

  /// Checks an image, unless it was checked with the same promises before. `false` ends the exploration.
  mutating func isFine<Scenario>(
    _ kept: [Int], of trial: CrashTrial<Scenario>, _ progress: (CrashReport) -> Bool
  ) -> Bool {
    let hash = trial.hash(kept)
    guard cases.insert(Case(image: hash, version: trial.version)).inserted else { return true }
    if images.insert(hash).inserted { report.images += 1 }
    report.checks += 1
    guard trial.problems(kept).isEmpty else {
      failing = kept
      return false
    }
    return report.checks % Self.reportEvery != 0 || progress(report)
  }

  /// Takes over what the crashes of one image's recovery showed. `false` ends the exploration.
  mutating func add<Scenario>(_ recovery: CrashReport, to trial: CrashTrial<Scenario>, _ kept: [Int]) -> Bool {
    guard recovery.points > 0 else { return true }
    report.recoveries += 1
    report.recoveryImages += recovery.images
    guard let finding = recovery.finding else { return true }
    report.finding = CrashFinding(finding, inRecoveryOf: trial, kept)
    return false
  }

  /// The report, with what was found made small.
  func finish<Scenario>(_ trial: CrashTrial<Scenario>, _ groupStart: Int) -> CrashReport {
    var report = report
    if let failing { report.finding = CrashShrinker(trial: trial, groupStart: groupStart).shrink(failing) }
    return report
  }
}
