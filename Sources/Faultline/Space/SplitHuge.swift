/// Huge entries that must become smaller: the border of an area moves into them, or part of what they map goes.
extension AddressSpace {
  /// Splits the huge entries that cover `pages` only in part.
  func splitHuge(partlyIn pages: Range<UInt64>) {
    guard !pages.isEmpty else { return }
    splitHuge(across: pages.lowerBound)
    splitHuge(across: pages.upperBound)
  }

  /// Splits every huge entry of a range.
  func splitAllHuge(in pages: Range<UInt64>) {
    var page = pages.lowerBound
    while page < pages.upperBound {
      if let middle = table.middle(forPage: page) { splitHuge(at: middle) }
      page = table.nextTable(after: page, limit: pages.upperBound)
    }
  }

  /// Takes out every gigantic entry of a range: there is no splitting them, and faults bring the pages back.
  func dropGigantic(in pages: Range<UInt64>) {
    table.forEachEntry(in: pages) { _, pointer in
      guard PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed)).isGigantic else { return }
      giveUp(PageTableEntry(rawValue: pointer.pointee.exchange(0, ordering: .acquiringAndReleasing)))
    }
  }

  /// Takes out the empty tables that stand where entries of 1 GiB belong, before anybody can find a new area that needs
  /// them.
  func makeRoomForGigantic(_ area: VMAPointer) {
    guard area.isDirect, area.device?.order == DevicePageMap.giganticOrder else { return }
    table.freeMiddles(covering: area.pages)
  }

  /// Splits the huge entry that maps the pages on both sides of the border before `page`, if there is one.
  /// Kernel: `vma_adjust_trans_huge`.
  func splitHuge(across page: UInt64) {
    guard page & (PageSize.entriesPerTable - 1) != 0, let middle = table.middle(forPage: page) else { return }
    splitHuge(at: middle)
  }

  /// Turns a huge entry into single ones: those of private memory into its deposited table; a file's entry just goes,
  /// for faults bring the pages back. Nothing where no huge entry is. Kernel: `__split_huge_pmd`.
  func splitHuge(at middle: MiddleEntry) {
    let metadata = table.lock(of: middle.table)
    metadata.pointee.lock.lock()
    guard middle.entry.isHuge else { return metadata.pointee.lock.unlock() }
    // Out first, so that no mark which the processor makes meanwhile is lost.
    let entry = PageTableEntry(rawValue: middle.pointer.pointee.exchange(0, ordering: .acquiringAndReleasing))
    if let leaf = isPrivate(entry) ? machine.tables.pop(from: metadata) : nil {
      fill(leaf, with: entry)
      table.enter(leaf, at: middle)
      metadata.pointee.lock.unlock()
    } else {
      metadata.pointee.lock.unlock()
      giveUp(entry)
    }
  }

  private func fill(_ leaf: PageTable.Table, with entry: PageTableEntry) {
    if entry.isSpecial {
      let page = PageTableEntry(frame: machine.zeroFrame, permissions: entry.permissions)
      for slot in 0..<Int(PageSize.entriesPerTable) { leaf.entries[slot].store(page.rawValue, ordering: .relaxed) }
      return
    }
    let folio = Folio(of: machine.memory.frame(entry.frame))
    folio.get(folio.pageCount - 1)
    folio.splitHugeMapping()
    for slot in 0..<Int(PageSize.entriesPerTable) {
      let frame = FrameNumber(rawValue: entry.frame.rawValue + UInt64(slot))
      leaf.entries[slot].store(
        PageTableEntry(frame: frame, permissions: entry.permissions).rawValue, ordering: .relaxed)
    }
  }

  func isPrivate(_ entry: PageTableEntry) -> Bool {
    entry.isSpecial ? !entry.isHole : Folio(of: machine.memory.frame(entry.frame)).isPrivate
  }
}
