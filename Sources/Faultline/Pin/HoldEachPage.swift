/// The walk with a step for every page. Kernel: `gup_device_huge` until 6.16, `gup_huge_pmd` before 4.16.
extension AddressSpace {
  /// Does what ``holdNow(_:_:into:by:)`` does, but takes hold of each page by itself: what that is measured and tested
  /// against. Huge entries only, and only of memory that nobody forks meanwhile.
  ///
  /// - Returns: the pages that were recorded.
  package func holdEachPage(
    _ range: Range<VirtualAddress>, _ flags: PinFlags = [], into held: inout PinnedPages, by task: inout FaultTask
  ) -> UInt64 {
    let before = held.pageCount
    let demand = flags.contains(.write) ? PageTableEntry.Demand.write : .read
    let record = task.enter(epoch, of: epochs)
    defer { record.exit() }
    var page = range.lowerBound.page
    let last = PageSize.pages(covering: range.upperBound.rawValue)
    while page < last, let middle = table.middle(forPage: page) {
      let end = min(last, (page | (PageSize.entriesPerTable - 1)) &+ 1)
      let seen = middle.entry
      guard seen.isHuge, allows(seen, demand) else { break }
      let first = memory.frame(seen.single(page).frame)
      let wanted = end &- page
      var taken: UInt64 = 0
      while taken < wanted, Folio.grab(first + Int(taken), 1, held.kind, in: memory) != nil { taken &+= 1 }
      guard taken == wanted, middle.entry.frame == seen.frame, allows(middle.entry, demand) else {
        // Each from its own folio: what was huge when it was seen may be many by now.
        for page in 0..<taken { Folio(of: first + Int(page)).letGo(1, held.kind, in: memory) }
        break
      }
      held.record(memory.number(of: first), wanted)
      page = end
    }
    return held.pageCount &- before
  }
}
