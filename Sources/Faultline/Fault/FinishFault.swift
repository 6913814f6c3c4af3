extension AddressSpace {
  /// Enters a locked, referenced page for the faulting address, or all of its folio. Kernel: `finish_fault`.
  ///
  /// On success the caller's reference has become an entry's. `noPage` means that somebody else was first: then, and on an
  /// error, the reference remains the caller's.
  func finishFault(
    _ context: inout FaultContext, entering frame: FramePointer, isPrivateCopy: Bool
  ) -> FaultResult {
    let folio = Folio(of: frame)
    let mayEnterMore = !isPrivateCopy && folio.order != 0 && endsWithinFile(folio, context)
    if mayEnterMore, context.middle.isNone {
      switch mapHuge(FolioReference(owning: folio, memory: memory), context) {
      case .mapped: return []
      case .refused(let reference, _): _ = reference.release()
      }
    }
    guard let leaf = context.installTable(), context.lock(leaf) else { return context.refusal }
    defer { table.lock(of: leaf).pointee.lock.unlock() }
    if mayEnterMore, machine.rules.largeFolios.mapsWhole, enterWhole(folio, in: leaf, context) { return [] }

    let pointer = leaf.entries + PageTable.slot(ofPage: context.page, level: 0)
    guard context.isUnchanged(PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))) else {
      return .noPage
    }
    let entry = PageTableEntry(frame: memory.number(of: frame), permissions: permissions(context))
    folio.addMapping(of: frame)
    pointer.pointee.store(entry.rawValue, ordering: .releasing)
    if isPrivateCopy { countPrivatePages(1) } else { countFilePages(1) }
    return []
  }

  /// What an entry for the faulting page lets through. Kernel: `set_pte_range`.
  func permissions(_ context: borrowing FaultContext) -> UInt64 {
    let permissions = context.area.pointee.entryPermissions.load(ordering: .relaxed) | PageTableEntry.accessedBit
    return context.isWrite ? permissions | PageTableEntry.dirtyBit | writableBit(of: context.area) : permissions
  }

  /// A folio that goes past the file's end is entered page by page, so that what lies behind the end still ends in a signal.
  /// Files in memory have always been let through.
  private func endsWithinFile(_ folio: Folio, _ context: borrowing FaultContext) -> Bool {
    guard machine.rules.clipsAroundToFileEnd, let cache = context.area.pointee.cache else { return true }
    return context.area.isMemoryOnly || folio.endIndex <= cache.filePages
  }

  /// Enters every page of a folio under the table's lock, if the folio lies in one table and one area and no page of it is
  /// entered yet.
  private func enterWhole(_ folio: Folio, in leaf: PageTable.Table, _ context: borrowing FaultContext) -> Bool {
    guard !folio.hasPoison, let pages = context.pages(of: folio) else { return false }
    let entries = leaf.entries + PageTable.slot(ofPage: pages.lowerBound, level: 0)
    for slot in 0..<pages.count where entries[slot].load(ordering: .relaxed) != 0 { return false }
    folio.get(folio.pageCount - 1)
    enter(folio.head, count: pages.count, at: entries, permissions(context))
    countFilePages(folio.pageCount)
    return true
  }

  /// Fills `count` entries with consecutive frames of one large folio. Their references are the caller's to provide.
  func enter(_ first: FramePointer, count: Int, at entries: WordPointer, _ permissions: UInt64) {
    Folio(of: first).addMappings(from: first, count: count)
    let entry = PageTableEntry(frame: memory.number(of: first), permissions: permissions)
    for slot in 0..<count { entries[slot].store(entry.advanced(by: UInt64(slot)).rawValue, ordering: .releasing) }
  }

  /// What makes an entry of `area` writable, if the area may be written. Kernel: `maybe_mkwrite`.
  func writableBit(of area: VMAPointer) -> UInt64 {
    area.flags.contains(.write) ? PageTableEntry.writableBit : 0
  }
}

extension FaultContext {
  /// The pages of the address space that show a folio, if all of them lie in the area and in the faulting page's table.
  /// Kernel: `folio_within_vma` and what follows it.
  func pages(of folio: Folio) -> Range<UInt64>? {
    let areaFilePage = area.pointee.filePage.load(ordering: .relaxed)
    guard folio.index >= areaFilePage else { return nil }
    let first = area.start &+ (folio.index &- areaFilePage)
    let end = first &+ folio.pageCount
    let span = PageSize.entriesPerTable
    guard end <= area.end, first / span == page / span, (end - 1) / span == page / span else { return nil }
    return first..<end
  }
}
