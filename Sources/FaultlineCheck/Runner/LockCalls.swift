import Faultline

/// How faults were tried, in the words of the recordings: how often kernel functions were called.
/// Attempts without a lock are counted beside them, in the words of the patches of 2021.
extension ScriptRunner {
  /// Of an access; nothing for other operations, whose calls in a kernel are not of faults alone.
  func lockCalls(of operation: Operation) -> [(String, UInt64)] {
    switch operation {
    case .access, .touch: break
    default: return []
    }
    let calls = zip(CallCounts.lockNames, [attempts.areaLooks, attempts.handlings, attempts.spaceLocks])
    let aborts = SpeculationAbort.allCases.map { ("spf_abort_\($0)", speculation[$0]) }
    return calls + [("spf_attempt", speculation.attempts)] + aborts
  }
}
