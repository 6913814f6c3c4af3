import Faultline

/// One thing that is measured: a load, whose faults they are, and who else runs.
struct FaultCell: Hashable, Sendable {
  let load: FaultLoad
  let system: FaultSystem
  let setting: FaultSetting

  /// A measurement in which a thread waited longer for a processor is repeated, a few times; the least disturbed one counts.
  static let calm = 0.02
  private static let attempts = 4

  /// Measures until no thread has waited for a processor, or often enough.
  ///
  /// - Returns: the least disturbed measurement; nil for the kernel where that gives no memory file, or cannot be asked for such
  ///   a load.
  func measure(
    microseconds: UInt32, timesEachFault: Bool = false, repeats: Bool = true
  ) throws(KernelError) -> FaultMeasurement? {
    var best: FaultMeasurement?
    for _ in 0..<(repeats ? Self.attempts : 1) where best.map({ $0.waitedShare > Self.calm }) ?? true {
      guard let measured = try measureOnce(microseconds, timesEachFault) else { return nil }
      if measured.waitedShare < best?.waitedShare ?? .infinity { best = measured }
    }
    return best
  }

  private func measureOnce(_ microseconds: UInt32, _ timesEachFault: Bool) throws(KernelError) -> FaultMeasurement? {
    switch system {
    case .engine(let mode):
      let stage = try EngineFaultStage(load, mode, threads: setting.threads)
      return FaultRun(load, setting, timesEachFault: timesEachFault) { stage.part(ofThread: $0) }
        .measure(microseconds: microseconds)
    case .kernel:
      guard let stage = KernelFaultStage(load, threads: setting.threads) else { return nil }
      return FaultRun(load, setting, timesEachFault: timesEachFault) { stage.part(ofThread: $0) }
        .measure(microseconds: microseconds)
    }
  }
}
