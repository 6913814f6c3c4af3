import Faultline

/// How pages were taken hold of, in the words of the recordings: how often kernel functions that count a reference were
/// called. The engine tells which entries it found and on which way; how often its kernel would have counted up for
/// those is a rule.
extension ScriptRunner {
  func holdCalls(of operation: Operation) -> [(String, UInt64)] {
    var counts: [String: UInt64] = [:]
    for event in noted {
      guard let hold = event.hold, hold.way != .letGo || operation.unpinsItself else { continue }
      counts[rules.holds.function(of: hold), default: 0] += rules.holds.steps(hold, pages: event.count)
    }
    return CallCounts.holdNames.map { ($0, counts[$0] ?? 0) }
  }
}

extension Operation {
  /// Whether the process itself gives back what the operation pins. A direct transfer's pages are given back by whoever
  /// completes it.
  fileprivate var unpinsItself: Bool {
    guard case .transfer(let request) = self else { return false }
    return request.kind == .remoteRead || request.kind == .remoteWrite
  }
}

extension KernelRules.HoldRules {
  /// What the function is called that counts up.
  fileprivate func function(of hold: EngineEvent.Hold) -> String {
    if hold.way == .letGo { return "gup_put_folio" }
    let isFast = hold.way == .fast
    if !sharesPageStep { return isFast ? "try_grab_folio_fast" : "try_grab_folio" }
    return isFast && !(hold.isDirect && hold.isHuge) ? "try_grab_folio" : "try_grab_page"
  }
}
