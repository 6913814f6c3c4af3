/// What a fork does with pages that somebody has pinned: they stay the parent's, writable, so that what a device stores is seen there;
/// the child gets copies at once. Kernel: `copy_present_page`, `folio_try_dup_anon_rmap`.
extension AddressSpace {
  /// Splits the huge entries of private memory whose folio may be pinned, so that its pages can be copied one by one.
  func splitPinned(in pages: Range<UInt64>) {
    var page = pages.lowerBound
    while page < pages.upperBound {
      if let middle = table.middle(forPage: page), middle.entry.isHuge, isPinned(middle.entry) { splitHuge(at: middle) }
      page = table.nextTable(after: page, limit: pages.upperBound)
    }
  }

  /// Whether an entry shows private memory of this address space alone that may be pinned.
  func isPinned(_ entry: PageTableEntry) -> Bool {
    guard entry.isPresent, !entry.isSpecial else { return false }
    let folio = Folio(of: memory.frame(entry.frame))
    return folio.isExclusive && folio.mayBePinned
  }

  /// An entry for the child that shows a copy of the page; `nil` without memory. The caller holds the lock of the entry's table.
  func copyOfPinned(_ entry: PageTableEntry, _ page: UInt64) -> PageTableEntry? {
    guard let copy = memory.allocate(order: 0) else { return nil }
    memory.copyPage(from: memory.frame(entry.frame), to: copy.head)
    copy.becomePrivate(page: page)
    copy.addMapping(of: copy.head)
    let permissions = entry.without(PageTableEntry.accessedBit).permissions | PageTableEntry.dirtyBit
    return PageTableEntry(frame: memory.number(of: copy.head), permissions: permissions)
  }
}
