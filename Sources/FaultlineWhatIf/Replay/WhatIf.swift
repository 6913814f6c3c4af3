import Faultline

/// # Replay
///
/// A trace and a policy in, counts out: the recorded processes live again as address spaces of the engine.
///
/// Laws
/// 1. Only chosen files are mapped, so everything that the engine counts is theirs.
/// 2. The same trace and question give the same counts, byte for byte: one thread, no clock, no order of a hash table.
/// 3. The loop over touches neither allocates nor retains; all else happens between runs of touches.
/// 4. A trace is input from anywhere: what does not fit is refused and counted, never trusted.
///
/// This folder calls `Policy/`, `Trace/`, `Cost/`, `Report/` and the engine.

/// The question: which policies, for which files, from which state of the cache, under which kernel's rules.
public struct WhatIf: Sendable {
  /// Asked in addition to the standard ones.
  public var policies: [Policy] = []
  /// Whether ``Policy/standard(deviceReadaheadBytes:)`` is asked too.
  public var asksStandard = true
  /// nil is cold; files whose residency cannot be known then count as resident, and when that is all of them, as it was.
  public var cache: CacheStart?
  public var files = FileChoice()
  /// nil takes the rules of the recording kernel.
  public var rules: KernelRules?

  public init() {}

  /// How far an answer is.
  public struct Progress: Sendable {
    /// The policy being replayed.
    public let policy: String
    /// Of the whole work, 0 to 1.
    public let fraction: Double
  }

  /// Replays the trace under every policy.
  ///
  /// - Parameters:
  ///   - costs: what events cost; nil measures this machine, beside the chosen files where that is possible.
  ///   - progress: called now and then on the calling thread.
  /// - Throws: ``WhatIfError``.
  public func answer(
    on trace: Trace, costs: (any CostModel)? = nil, progress: (Progress) -> Void = { _ in }
  ) throws(WhatIfError) -> WhatIfReport {
    let survey = TraceSurvey(trace)
    let chosen = try ChosenFiles(survey, by: files)
    let start = try cacheStart(chosen)
    let rules = self.rules ?? survey.kernelRules
    let model = costs ?? WhatIf.measuredCosts(beside: chosen)
    let asked = Policy.withoutDuplicates(
      (asksStandard ? Policy.standard(deviceReadaheadBytes: chosen.deviceReadaheadBytes) : []) + policies,
      deviceReadaheadBytes: chosen.deviceReadaheadBytes)

    var outcomes: [PolicyOutcome] = []
    var summary = TraceSummary(survey, chosen, trace)
    var refused = 0
    for (index, policy) in asked.enumerated() {
      var replayer = try Replayer(trace, chosen: chosen, policy: policy, cache: start, rules: rules)
      let counts = try replayer.run { bytes in
        let part = Double(bytes) / Double(max(1, trace.recordBytes))
        progress(Progress(policy: policy.name, fraction: (Double(index) + part) / Double(asked.count)))
      }
      if index == 0 {
        summary.touches = replayer.touches
        summary.untimed = replayer.untimed
        refused = replayer.refused
        summary.note(replayer.files.sizes)
      }
      outcomes.append(
        PolicyOutcome(
          policy: policy, counts: counts, estimated: model.nanoseconds(for: counts),
          readaheadBytes: policy.readaheadBytes(on: chosen)))
    }
    var report = WhatIfReport(
      program: survey.command, kernelRules: rules.name, cache: start, trace: summary, costs: model.costs,
      outcomes: outcomes)
    report.notes =
      ReportNotes(
        survey: survey, chosen: chosen, summary: summary, cache: start,
        warnings: trace.warnings, refused: refused
      ).sentences
    return report
  }

  private func cacheStart(_ chosen: ChosenFiles) throws(WhatIfError) -> CacheStart {
    let foreign = chosen.foreign
    guard let cache else { return foreign.count < chosen.files.count ? .cold : .asIs }
    if cache == .cold, !foreign.isEmpty {
      throw .residencyUnknown(paths: foreign.map(\.path), purpose: "--cache cold")
    }
    return cache
  }

  private static func measuredCosts(beside chosen: ChosenFiles) -> any CostModel {
    let largest = chosen.files.max { $0.bytes < $1.bytes }
    let directory = largest.map { file in
      file.path.lastIndex(of: "/").map { String(file.path[..<$0]) } ?? "."
    }
    return CalibratedCostModel(directories: [directory ?? ".", ".", "/var/tmp", "/tmp"]) ?? FixedCostModel()
  }
}

extension Policy {
  /// The readahead in force on these files, in bytes; nil when their devices differ.
  fileprivate func readaheadBytes(on chosen: ChosenFiles) -> UInt64? {
    switch readahead {
    case .bytes(let bytes): bytes
    case .device: chosen.deviceReadaheadBytes
    }
  }
}

extension TraceSummary {
  /// Takes over the sizes at the end of the recording, in bytes, in the order of the files, where they are larger.
  fileprivate mutating func note(_ sizes: [UInt64]) {
    for (index, size) in sizes.enumerated() {
      let pages = PageSize.pages(covering: size)
      if pages > files[index].pages {
        files[index].pages = pages
        hasGrown = true
      }
    }
  }

  /// What is known before the first replay: the touches of chosen files are counted by it.
  fileprivate init(_ survey: TraceSurvey, _ chosen: ChosenFiles, _ trace: Trace) {
    self.init(
      touches: 0, untimed: 0, lost: survey.lost, isCoarse: trace.isCoarse,
      files: chosen.files.map { file in
        File(
          path: file.path, pages: PageSize.pages(covering: file.bytes),
          residentBefore: file.resident.map { $0.reduce(0) { $0 &+ $1.pages } })
      })
  }
}
