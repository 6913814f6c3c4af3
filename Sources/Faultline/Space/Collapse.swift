/// MADV_COLLAPSE: huge pages made of what is there, at once and in the caller's time.
///
/// The address space's lock is held exclusively, so no fault of this space runs; other spaces that map the file may fault,
/// and look under their table's lock whether it still stands. Source: kernel 6.18 `madvise_collapse`.
extension AddressSpace {
  /// Collapses every 2 MiB that lie whole in `pages`, area by area.
  ///
  /// - Throws: at the first area that has a failure: `EINVAL` for memory that cannot be huge, `EAGAIN` when somebody holds a
  ///   page, `ENOMEM`, which a gap is as well in the end. What could be collapsed is.
  func collapse(_ pages: Range<UInt64>) throws(KernelError) {
    lockForChange()
    defer { unlockAfterChange() }
    var failure: CollapseFailure?
    let hasGap = forEachArea(in: pages) { area in
      if failure == nil { failure = collapse(pages.clamped(to: area.pages), of: area) }
    }
    if let failure { throw failure.error }
    if hasGap { throw Self.gap }
  }

  /// - Returns: the last failure. An area with no room for a huge page fails even where none was asked for.
  private func collapse(_ pages: Range<UInt64>, of area: VMAPointer) -> CollapseFailure? {
    let span = PageSize.entriesPerTable
    let last = area.end & ~(span - 1)
    guard last > area.start, area.canMapHuge(around: last - 1), !area.flags.contains(.noHugePage),
      area.traits?.isMemoryOnly != false
    else { return .unsuitable }
    var failure: CollapseFailure?
    var start = (pages.lowerBound + span - 1) & ~(span - 1)
    // The kernel counts the huge pages as this difference, and none were made.
    if pages.upperBound & ~(span - 1) < start { return .unsuitable }
    while start + span <= pages.upperBound {
      if let failed = collapse(hugePageAt: start, of: area) { failure = failed }
      start += span
    }
    return failure
  }

  private func collapse(hugePageAt start: UInt64, of area: VMAPointer) -> CollapseFailure? {
    guard area.canMapHuge(around: start) else { return .unsuitable }
    if table.middle(forPage: start)?.entry.isHuge == true { return nil }
    guard let file = area.file else { return collapsePrivate(area, start) }
    mark(area)
    let index = area.filePage(of: start)
    let hasTable = table.middle(forPage: start)?.leaf != nil
    if let failure = file.node.collapse(at: index) { return failure }
    file.node.freeTables(ofHugePageAt: index)
    guard hasTable || !machine.rules.hugePages.collapseNeedsTable else { return .unsuitable }
    enterHuge(area, start, file.node, index)
    return nil
  }

  /// Maps what was just collapsed; if it has changed again meanwhile, the next fault sees to it.
  /// Kernel: `collapse_pte_mapped_thp`.
  private func enterHuge(_ area: VMAPointer, _ start: UInt64, _ node: FileNode, _ index: UInt64) {
    guard let middle = table.allocateUpperTables(forPage: start), let reference = node.lookUp(index) else { return }
    let folio = reference.folio
    folio.lock()
    defer { folio.unlock() }
    guard folio.lies(in: node.cache), folio.order == PhysicalMemory.pmdOrder else { return }
    let context = FaultContext(
      space: self, area: area, page: start, flags: [], middle: middle, arriving: FaultTask.nothing)
    _ = mapHuge(reference, context)
  }

  // MARK: Private memory. Kernel: `collapse_huge_page`

  private func collapsePrivate(_ area: VMAPointer, _ start: UInt64) -> CollapseFailure? {
    guard let middle = table.middle(forPage: start), let leaf = middle.leaf else { return .unsuitable }
    let folios = table.lock(of: leaf).pointee.lock.withLock { privateFolios(in: leaf) }
    guard let folios else { return .busy }
    guard !folios.isEmpty, let new = machine.memory.allocateZeroed(order: PhysicalMemory.pmdOrder) else {
      return folios.isEmpty ? .unsuitable : .outOfMemory
    }
    let reference = FolioReference(owning: new, memory: machine.memory)
    mark(area)
    preparePrivatePages(of: area)
    new.becomePrivate(page: start)
    // Nobody faults here now, and private memory has no other way to its entries.
    for slot in 0..<PageSize.entriesPerTable {
      let entry = PageTableEntry(
        rawValue: leaf.entries[Int(slot)].exchange(0, ordering: .acquiringAndReleasing))
      if entry.isPresent, !entry.isSpecial {
        machine.memory.copyPage(from: machine.memory.frame(entry.frame), to: new.head + Int(slot))
      }
      giveUp(entry)
    }
    guard let emptied = table.takeLeaf(at: middle) else { return .busy }
    new.addHugeMapping()
    let entry = PageTableEntry(
      frame: machine.memory.number(of: new.head),
      permissions: area.pointee.entryPermissions.load(ordering: .relaxed) | PageTableEntry.hugeBit
        | PageTableEntry.accessedBit | PageTableEntry.dirtyBit | writableBit(of: area))
    // The table that mapped the single pages waits for the split.
    var deposit: SpareTable? = SpareTable(owning: emptied, memory: machine.tables)
    guard table.setHuge(entry, at: middle, depositing: &deposit) else {
      new.removeHugeMapping()
      return .busy
    }
    countPrivatePages(new.pageCount)
    _ = reference.release()
    return nil
  }

  /// The folios that a table's entries map; `nil` when one of them is held by somebody else, or is no private page.
  private func privateFolios(in leaf: PageTable.Table) -> [Folio]? {
    var found: [Folio] = []
    for slot in 0..<Int(PageSize.entriesPerTable) {
      let entry = PageTableEntry(rawValue: leaf.entries[slot].load(ordering: .relaxed))
      if entry.isNone || entry.isPresent && entry.isSpecial { continue }
      guard entry.isPresent else { return nil }
      let folio = Folio(of: machine.memory.frame(entry.frame))
      guard folio.isPrivate, folio.references == folio.totalMapCount, !folio.hasPoison else { return nil }
      found.append(folio)
    }
    return found
  }
}

extension FileNode {
  /// Takes out the empty leaf tables that stand where a huge entry could. Kernel: `retract_page_tables`.
  fileprivate func freeTables(ofHugePageAt index: UInt64) {
    forEachArea { area in
      guard let pages = area.pages(showing: index..<index + PageSize.entriesPerTable),
        area.canMapHuge(around: pages.lowerBound),
        let middle = area.pointee.table.middle(forPage: pages.lowerBound)
      else { return }
      if let leaf = area.pointee.table.takeEmptyLeaf(at: middle) { machine.tables.retire(leaf) }
    }
  }
}
