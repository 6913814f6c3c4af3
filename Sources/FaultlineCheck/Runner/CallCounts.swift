/// The function calls of a recording (`fn`) that the engine has its own counts of.
public struct CallCounts: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// How the faults of accesses were tried.
  public static let locks = CallCounts(rawValue: 1 << 0)
  /// How often pages were taken hold of.
  public static let holds = CallCounts(rawValue: 1 << 1)

  static let lockNames = ["lock_vma_under_rcu", "handle_mm_fault", "lock_mm_and_find_vma"]
  /// Of kernels before 6.11 the first two.
  static let holdNames = ["try_grab_page", "try_grab_folio", "try_grab_folio_fast", "gup_put_folio"]
}

extension ScriptRunner {
  /// Of the operation that just ended.
  func calls(of operation: Operation) -> JSONValue {
    let locks = printsCalls.contains(.locks) ? lockCalls(of: operation) : []
    let holds = printsCalls.contains(.holds) ? holdCalls(of: operation) : []
    return .object((locks + holds).filter { $0.1 != 0 }.map { .init($0.0, .integer(Int64(clamping: $0.1))) })
  }
}

extension Recording {
  /// Whether the kernel's calls were counted at all.
  public var countsCalls: Bool { results.contains { $0["fn"] != nil } }

  /// The recording with only those call counts that the engine has, in the engine's order.
  public func keeping(_ calls: CallCounts) -> Recording {
    var kept = self
    kept.results = results.map { result in
      guard case .object(let members) = result else { return result }
      return .object(members.map { $0.key == "fn" ? .init("fn", Self.kept($0.value, calls, of: result)) : $0 })
    }
    return kept
  }

  private static func kept(_ counts: JSONValue, _ calls: CallCounts, of result: JSONValue) -> JSONValue {
    let word = result["op"]?.stringValue?.prefix { $0 != " " } ?? ""
    var names: [String] = []
    let isAccess = ["read", "write", "rmw", "exec"].contains(word) || word.hasPrefix("touch")
    if calls.contains(.locks), isAccess { names += CallCounts.lockNames }
    if calls.contains(.holds) {
      // Who completes a direct transfer gives its pages back, and that may be another process.
      names += word == "dior" || word == "diow" ? CallCounts.holdNames.dropLast() : CallCounts.holdNames
    }
    return .object(names.compactMap { name in counts[name].map { .init(name, $0) } })
  }
}
