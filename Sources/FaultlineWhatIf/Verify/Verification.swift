import Faultline

/// # Verify
///
/// Predictions beside what the running kernel does.
///
/// Laws
/// 1. Where the kernel's runs agree only equality will do; where they differ their range decides.
/// 2. What cannot be set for one program, or not be seen by this user, is refused with the reason, not guessed.
///
/// This folder calls `Replay/`, `Measure/` and `Doctor/`.

/// Runs the recorded program again under the real kernel, several times for each policy that can be set there, and puts
/// what happened beside what was predicted.
public struct Verification: Sendable {
  /// Real runs for each policy: enough to see whether the kernel agrees with itself.
  public static let runs = 5

  private let files: [String]
  private let madvise: [Policy.Madvise]

  /// - Throws: ``WhatIfError/residencyUnknown(paths:purpose:)`` when a chosen file is neither owned nor writable.
  public init(of trace: Trace, question: WhatIf) throws(WhatIfError) {
    let survey = TraceSurvey(trace)
    let chosen = try ChosenFiles(survey, by: question.files)
    guard chosen.foreign.isEmpty else {
      throw .residencyUnknown(paths: chosen.foreign.map(\.path), purpose: "--verify")
    }
    guard question.cache != .asIs else { throw .cannotVerifyAsIs }
    files = chosen.files.map(\.path)
    // Without advice of its own the program as recorded is the program under MADV_NORMAL.
    madvise = [survey.hasOwnAdvice ? .asRecorded : .normal, .random, .sequential, .hugePage]
  }

  /// How far a verification is.
  public struct Progress: Sendable {
    public let policy: String
    /// Of all runs, 0 to 1.
    public let fraction: Double
  }

  /// Runs `command` and enters the comparisons in `report`.
  ///
  /// - Throws: ``RecordError`` when a run could not be made.
  public func run(
    _ command: [String], into report: inout WhatIfReport, progress: (Progress) -> Void = { _ in }
  ) throws(RecordError) {
    let outcomes = madvise.compactMap { madvise in
      report.outcomes.first { $0.policy.madvise == madvise && $0.policy.isVerifiable }
    }
    if let window = Doctor.measuredFaultAroundBytes(directory: "."), window != Policy.defaultFaultAroundBytes {
      report.notes.append(
        "this machine's fault-around is \(ByteSize.format(window)); the predictions assume the kernel's default of "
          + ByteSize.format(Policy.defaultFaultAroundBytes))
    }
    if outcomes.isEmpty {
      report.notes.append("nothing was verified: none of these policies can be set on a running kernel for one program")
    }
    for (index, outcome) in outcomes.enumerated() {
      var verification = PolicyVerification(
        policy: outcome.policy.name, predicted: VerifiedCounts(outcome.counts), measured: [])
      let run = KernelRun(
        command: command, files: files, advice: KernelRun.Advice(outcome.policy.madvise),
        cache: report.cache == .warm ? .warm : .cold)
      for number in 0..<Verification.runs {
        let done = Double(index * Verification.runs + number) / Double(outcomes.count * Verification.runs)
        progress(Progress(policy: outcome.policy.name, fraction: done))
        let measurement = try run.measure()
        verification.measured.append(VerifiedCounts(measurement))
        verification.processReadBytes.append(UInt64(clamping: measurement.processReadBytes))
      }
      report.verification.append(verification)
    }
  }
}

extension KernelRun.Advice {
  /// The advice to inject; nil leaves the program's own.
  fileprivate init?(_ madvise: Policy.Madvise) {
    switch madvise {
    case .normal: self = .normal
    case .random: self = .random
    case .sequential: self = .sequential
    case .hugePage: self = .hugePage
    case .noHugePage: self = .noHugePage
    case .asRecorded, .willNeed, .populate: return nil
    }
  }
}

extension VerifiedCounts {
  init(_ measurement: KernelMeasurement) {
    self.init(
      majorFaults: UInt64(clamping: measurement.majorFaults), minorFaults: UInt64(clamping: measurement.minorFaults),
      pagesMapped: UInt64(clamping: measurement.pagesMapped),
      pagesMappedHuge: UInt64(clamping: measurement.pagesMappedHuge),
      pagesCached: UInt64(clamping: measurement.pagesCached),
      readBytes: UInt64(clamping: measurement.readBytes))
  }
}
