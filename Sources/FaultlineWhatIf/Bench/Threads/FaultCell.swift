import Faultline

/// One thing that is measured: a load, whose faults they are, and who else runs.
struct FaultCell: Hashable, Sendable {
  let load: FaultLoad
  let system: FaultSystem
  let setting: FaultSetting

  /// Measures until no thread has waited for a processor, or often enough.
  ///
  /// - Returns: the least disturbed measurement; nil for the kernel where that gives no memory file, or cannot be asked
  ///   for such a load.
  func measure(
    microseconds: UInt32, timesEachFault: Bool = false, repeats: Bool = true
  ) throws(KernelError) -> FaultMeasurement? {
    guard repeats else { return try measureOnce(microseconds, timesEachFault) }
    return try WaitClock.leastDisturbed(\.waitedShare) { () throws(KernelError) -> FaultMeasurement? in
      try measureOnce(microseconds, timesEachFault)
    }
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
