import Faultline

/// The kernel's `fs_dax` events in the words of the recordings.
extension ScriptRunner {
  func directText(of event: EngineEvent, file: String) -> String {
    switch event.kind {
    case .directWriteback: return "dax_writeback_range:\(file):\(event.page)-\(event.lastPage)"
    case .directWritebackDone: return "dax_writeback_range_done:\(file):\(event.page)-\(event.lastPage)"
    case .directWrittenBack: return "dax_writeback_one:\(file):\(event.page)"
    default: break
    }
    guard let fault = event.fault, let name = Self.directNames[event.kind] else { return "" }
    // The events of huge holes have an address and no page of the file, and tell nothing of the fault.
    if event.kind == .directLoadHugeHole || event.kind == .directLoadHugeHoleFallback {
      return "\(name):\(file):\(place(of: fault.address.page)):\(fault.sharing)"
    }
    let text = "\(name):\(file):\(event.page):\(fault.letters)"
    let begins = event.kind == .directHugeFault || event.kind == .directPageFault
    return begins ? text : text + ":" + fault.result.names
  }

  private static let directNames: [EngineEvent.Kind: String] = [
    .directHugeFault: "dax_pmd_fault", .directHugeFaultDone: "dax_pmd_fault_done",
    .directPageFault: "dax_pte_fault", .directPageFaultDone: "dax_pte_fault_done",
    .directLoadHole: "dax_load_hole", .directLoadHugeHole: "dax_pmd_load_hole",
    .directLoadHugeHoleFallback: "dax_pmd_load_hole_fallback", .directInsert: "dax_insert_pfn_mkwrite",
    .directInsertNoEntry: "dax_insert_pfn_mkwrite_no_entry",
  ]
}

extension EngineEvent.DirectFault {
  /// S shared or P private.
  fileprivate var sharing: String { areaFlags.contains(.shared) ? "S" : "P" }

  /// The same, with W for a store and V under the lock of the area.
  fileprivate var letters: String {
    sharing + (flags.contains(.write) ? "W" : "")
      + (flags.contains(.vmaLock) ? "V" : "")
  }
}

extension FaultResult {
  /// The kernel's names, joined.
  fileprivate var names: String {
    let all: [(FaultResult, String)] = [
      (.outOfMemory, "OOM"), (.busError, "SIGBUS"), (.major, "MAJOR"), (.poisoned, "HWPOISON"),
      (.segmentationFault, "SIGSEGV"), (.noPage, "NOPAGE"), (.locked, "LOCKED"), (.retry, "RETRY"),
      (.fallback, "FALLBACK"), (.doneCopy, "DONE_COW"), (.needsDataSync, "NEEDDSYNC"),
    ]
    return all.filter { contains($0.0) }.map(\.1).joined(separator: "|")
  }
}
