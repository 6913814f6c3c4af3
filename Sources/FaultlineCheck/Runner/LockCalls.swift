import Faultline

/// How faults were tried, in the words of the recordings: how often kernel functions were called.
/// Attempts without a lock are counted beside them, in the words of the patches of 2021.
extension ScriptRunner {
  /// Of an access; nothing for other operations, whose calls in a kernel are not of faults alone.
  func lockCalls(of operation: Operation) -> JSONValue {
    switch operation {
    case .access, .touch: break
    default: return .object([])
    }
    let calls = zip(Recording.lockCalls, [attempts.areaLooks, attempts.handlings, attempts.spaceLocks])
    let aborts = SpeculationAbort.allCases.map { ("spf_abort_\($0)", speculation[$0]) }
    let counts = calls + [("spf_attempt", speculation.attempts)] + aborts
    return .object(counts.filter { $0.1 != 0 }.map { .init($0.0, .integer(Int64(clamping: $0.1))) })
  }
}

extension Recording {
  static let lockCalls = ["lock_vma_under_rcu", "handle_mm_fault", "lock_mm_and_find_vma"]

  /// The recording with only those call counts that the engine has: of accesses, how their faults were tried.
  public var keepingLockCalls: Recording {
    var kept = self
    kept.results = results.map { result in
      guard case .object(let members) = result else { return result }
      return .object(members.map { $0.key == "fn" ? .init("fn", Self.lockCalls($0.value, of: result)) : $0 })
    }
    return kept
  }

  private static func lockCalls(_ calls: JSONValue, of result: JSONValue) -> JSONValue {
    let word = result["op"]?.stringValue?.prefix { $0 != " " } ?? ""
    let isAccess = ["read", "write", "rmw", "exec"].contains(word) || word.hasPrefix("touch")
    guard isAccess, case .object(let members) = calls else { return .object([]) }
    return .object(members.filter { lockCalls.contains($0.key) })
  }
}
