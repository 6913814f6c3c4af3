extension AddressSpace {
  /// Clears every entry in `pages`. Kernel: `zap_page_range`, `unmap_vmas`.
  ///
  /// - Parameter keepingMarkers: whether guard markers stay, because the area does.
  func unmap(_ pages: Range<UInt64>, keepingMarkers: Bool = false) {
    splitHuge(partlyIn: pages)
    table.forEachEntry(in: pages) { page, pointer in
      if keepingMarkers, pointer.pointee.load(ordering: .relaxed) == PageTableEntry.guardMarker.rawValue { return }
      let entry = PageTableEntry(rawValue: pointer.pointee.exchange(0, ordering: .acquiringAndReleasing))
      if entry.isHuge, isPrivate(entry) { freeDeposit(atPage: page) }
      giveUp(entry)
    }
  }

  /// Gives back the table that a huge entry of private memory had for its split. The caller holds its table's lock.
  func freeDeposit(atPage page: UInt64) {
    guard let middle = table.middle(forPage: page) else { return }
    if let deposit = machine.tables.pop(from: table.lock(of: middle.table)) { machine.tables.free(deposit) }
  }

  /// Gives back what a cleared entry held, and moves what it knew of the page to the folio.
  func giveUp(_ entry: PageTableEntry) { machine.giveUp(entry, of: table) }

  /// Frees the leaf tables that cover no area any more, after `pages` were unmapped and taken out of the tree.
  /// Kernel: `free_pgtables`.
  func freeTables(around pages: Range<UInt64>) {
    let span = PageSize.entriesPerTable
    var start = pages.lowerBound & ~(span - 1)
    var end = (pages.upperBound + span - 1) & ~(span - 1)
    if pages.lowerBound > 0, let before = areas.lastArea(startingAtOrBefore: pages.lowerBound - 1), before.end > start {
      start = (pages.lowerBound + span - 1) & ~(span - 1)
    }
    if let after = areas.firstArea(endingAfter: pages.upperBound), after.start < end {
      end = pages.upperBound & ~(span - 1)
    }
    if start < end { table.freeLeaves(covering: start..<end) }
  }
}

extension Machine {
  /// Gives back what a cleared entry of `table` held, and moves what it knew of the page to the folio.
  func giveUp(_ entry: PageTableEntry, of table: PageTable) {
    guard entry.isPresent, !entry.isSpecial else { return }
    if entry.isHuge { return giveUpHuge(entry, of: table) }
    let frame = memory.frame(entry.frame)
    let folio = Folio(of: frame)
    if folio.isPrivate {
      table.state.pointee.privatePages.subtract(1)
    } else {
      if entry.isDirty { folio.markDirty() }
      if entry.isAccessed { markAccessed(folio) }
      table.state.pointee.filePages.subtract(1)
    }
    folio.removeMapping(of: frame)
    folio.put(to: memory)
  }

  /// The same for an entry that maps a whole folio of several pages.
  @inline(never)
  private func giveUpHuge(_ entry: PageTableEntry, of table: PageTable) {
    let folio = Folio(head: memory.frame(entry.frame))
    if folio.isPrivate {
      table.state.pointee.privatePages.subtract(entry.pageCount)
    } else {
      if entry.isDirty { folio.markDirty() }
      if entry.isAccessed { markAccessed(folio) }
      table.state.pointee.filePages.subtract(entry.pageCount)
      table.state.pointee.hugeFilePages.wrappingSubtract(entry.pageCount, ordering: .relaxed)
    }
    folio.removeHugeMapping()
    folio.put(to: memory)
  }
}
