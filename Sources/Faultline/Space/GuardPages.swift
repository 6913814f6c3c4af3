/// Pages that end every access in a signal without an area of their own: markers in the page table.
///
/// A marker stays when its page is discarded, and when the file below is truncated; it goes with the area, or when it is
/// taken out. Kernel: `PTE_MARKER_GUARD` (anonymous memory from 6.13, files from 6.15).
extension AddressSpace {
  /// MADV_GUARD_INSTALL: discards what is there and sets the markers. Kernel: `madvise_guard_install`.
  func installGuards(_ pages: Range<UInt64>) throws(KernelError) {
    try requireGuards()
    try forEachPart(of: pages) { area, part in
      guard !area.flags.contains(.locked) else { return KernelError(.EINVAL, "guard pages in memory that is locked") }
      // Private memory gets its tables a fork copies; what shows a file says by a flag that there is something to copy.
      if area.pointee.cache == nil || !machine.rules.marksGuardedAreas { preparePrivatePages(of: area) }
      if machine.rules.marksGuardedAreas { area.addFlag(.mayGuard) }
      unmap(part, keepingMarkers: true)
      for page in part where !setGuard(at: page) {
        return KernelError(.ENOMEM, "no memory for the page tables of guards")
      }
      return nil
    }
  }

  /// MADV_GUARD_REMOVE. Kernel: `madvise_guard_remove`.
  func removeGuards(_ pages: Range<UInt64>) throws(KernelError) {
    try requireGuards()
    try forEachPart(of: pages) { _, part in
      table.forEachEntry(in: part) { _, pointer in
        let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
        if entry == .guardMarker { pointer.pointee.store(0, ordering: .releasing) }
      }
      return nil
    }
  }

  private func requireGuards() throws(KernelError) {
    guard machine.rules.hasGuardPages else { throw KernelError(.EINVAL, "this kernel has no guard pages") }
  }

  /// `false` without memory. A page that a fault has entered meanwhile is discarded again.
  private func setGuard(at page: UInt64) -> Bool {
    while true {
      if table.makeLeaf(forPage: page) == nil, table.entry(forPage: page) == nil { return false }
      let isSet = table.withEntry(ofPage: page) { pointer in
        guard !PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed)).isPresent else { return false }
        pointer.pointee.store(PageTableEntry.guardMarker.rawValue, ordering: .releasing)
        return true
      }
      if isSet == true { return true }
      unmap(page..<page + 1, keepingMarkers: true)
    }
  }
}
