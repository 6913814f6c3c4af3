/// Advice that lets go of pages: at once, when memory is short, or for good.
extension AddressSpace {
  /// MADV_DONTNEED and MADV_DONTNEED_LOCKED. Kernel: `madvise_dontneed_single_vma`.
  func discard(_ pages: Range<UInt64>, alsoLocked: Bool) throws(KernelError) {
    try forEachPart(of: pages) { area, part in
      guard alsoLocked || !area.flags.contains(.locked) else {
        return KernelError(.EINVAL, "MADV_DONTNEED of memory that is locked")
      }
      unmap(part, keepingMarkers: true)
      return nil
    }
  }

  /// MADV_COLD: pages that nobody else maps look unused from now on. Kernel: `madvise_cold_or_pageout_pte_range`.
  func cool(_ pages: Range<UInt64>) throws(KernelError) {
    try forEachPart(of: pages) { area, part in
      guard !area.flags.contains(.locked) else { return KernelError(.EINVAL, "MADV_COLD of memory that is locked") }
      let whole = splitFolios(partlyIn: part)
      splitHuge(partlyIn: part)
      table.forEachEntry(in: part) { _, pointer in
        guard let folio = solelyMapped(pointer), !whole.contains(folio) else { return }
        pointer.pointee.bitwiseAnd(~PageTableEntry.accessedBit, ordering: .relaxed)
        folio.remove(.referenced)
        machine.lists.deactivate(folio)
      }
      return nil
    }
  }

  /// MADV_PAGEOUT: pages that nobody else maps are given up now, whether or not they are used. What is dirty loses only
  /// its entries; private memory stays, for there is no swap. Kernel: `reclaim_pages`.
  func pageOut(_ pages: Range<UInt64>) throws(KernelError) {
    try forEachPart(of: pages) { area, part in
      guard !area.flags.contains(.locked) else { return KernelError(.EINVAL, "MADV_PAGEOUT of memory that is locked") }
      let whole = splitFolios(partlyIn: part)
      splitHuge(partlyIn: part)
      var chosen: [Folio] = []
      table.forEachEntry(in: part) { _, pointer in
        guard let folio = solelyMapped(pointer), !whole.contains(folio) else { return }
        if folio.isPrivate {
          dropIfFree(pointer, folio)
        } else if chosen.last != folio {
          folio.get()
          folio.remove(.referenced)
          chosen.append(folio)
        }
      }
      // With no table locked: reclaim goes from the folio to all tables that map it.
      for folio in chosen {
        machine.giveUp(folio)
        folio.put(to: machine.memory)
      }
      return nil
    }
  }

  /// MADV_FREE: private memory whose contents are not needed until it is stored to again. Kernel:
  /// `madvise_free_single_vma`.
  func free(_ pages: Range<UInt64>) throws(KernelError) {
    try forEachPart(of: pages) { area, part in
      guard area.pointee.cache == nil else { return KernelError(.EINVAL, "MADV_FREE of memory that shows a file") }
      guard !area.flags.contains(.locked) else { return KernelError(.EINVAL, "MADV_FREE of memory that is locked") }
      splitHuge(partlyIn: part)
      table.forEachEntry(in: part) { _, pointer in
        let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
        guard entry.isPresent, !entry.isSpecial else { return }
        let frame = machine.memory.frame(entry.frame)
        let folio = Folio(of: frame)
        // What the kernel has stored to on somebody's behalf is not thrown away under the others that see it.
        if folio.contains(.dirty), folio.mapCount(of: frame) > 1 { return }
        folio.remove(.dirty)
        pointer.pointee.bitwiseAnd(~(PageTableEntry.accessedBit | PageTableEntry.dirtyBit), ordering: .relaxed)
        folio.insert(.lazilyFreed)
      }
      return nil
    }
  }

  /// MADV_REMOVE: a hole in the file where a shared mapping shows it. Kernel: `madvise_remove`.
  func remove(_ pages: Range<UInt64>) throws(KernelError) {
    var holes: [(file: OpenFile, pages: Range<UInt64>)] = []
    // Punched without the address space's lock, which faults on the file would wait for; and before an area that refuses
    // ends the call.
    defer {
      for hole in holes {
        let bytes = hole.pages.lowerBound << PageSize.shift..<hole.pages.upperBound << PageSize.shift
        if let dax = hole.file.node.dax {
          try? dax.change(.punchHole, bytes, keepSize: true, .wait)
        } else {
          hole.file.node.punchHole(bytes)
        }
      }
    }
    try forEachPart(of: pages) { area, part in
      guard !area.flags.contains(.locked), let file = area.file else {
        return KernelError(.EINVAL, "MADV_REMOVE of memory that is locked or shows no file")
      }
      guard area.flags.isSuperset(of: [.shared, .mayWrite]) else {
        return KernelError(.EACCES, "MADV_REMOVE of a mapping that cannot write its file")
      }
      guard !file.node.isDevice else {
        return KernelError(.ENODEV, "MADV_REMOVE of a device that is mapped as a whole")
      }
      let first = area.filePage(of: part.lowerBound)
      // In memory a huge folio may reach behind the end.
      let end = file.node.traits.isMemoryOnly ? UInt64.max : file.node.cache.filePages
      let shown = (first..<first + UInt64(part.count)).clamped(to: 0..<end)
      if !shown.isEmpty { holes.append((file, shown)) }
      return nil
    }
  }

  /// Calls `body` with each area that `pages` touches and with what they share, under the shared lock, until it names
  /// an error. A gap is an error only in the end.
  func forEachPart(
    of pages: Range<UInt64>, _ body: (VMAPointer, Range<UInt64>) -> KernelError?
  ) throws(KernelError) {
    lock.lockShared()
    defer { lock.unlockShared() }
    var failure: KernelError?
    let hasGap = forEachArea(in: pages) { area in
      if failure == nil { failure = body(area, pages.clamped(to: area.pages)) }
    }
    if let failure { throw failure }
    if hasGap { throw Self.gap }
  }

  /// The folio of an entry if no other entry maps its page; a device's has nowhere else to go. The caller holds the
  /// table's lock.
  private func solelyMapped(_ pointer: WordPointer) -> Folio? {
    let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
    guard entry.isPresent, !entry.isSpecial else { return nil }
    let frame = machine.memory.frame(entry.frame)
    let folio = Folio(of: frame)
    return !folio.contains(.device) && folio.mapCount(of: frame) == 1 ? folio : nil
  }

  /// Private memory that was freed lazily, and not stored to since, needs no swap to go.
  private func dropIfFree(_ pointer: WordPointer, _ folio: Folio) {
    let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
    guard folio.contains(.lazilyFreed), !entry.isDirty, !folio.contains(.dirty), folio.references == 1 else { return }
    pointer.pointee.store(0, ordering: .releasing)
    giveUp(entry)
  }
}

extension Machine {
  /// Reclaims one folio on behalf of MADV_PAGEOUT. The caller holds a reference.
  fileprivate func giveUp(_ folio: Folio) {
    guard let file = folio.file else { return }
    guard !file.traits.isMemoryOnly else { return file.giveUpMemory(folio) }
    guard lists.isolate(folio) else { return }
    if folio.remove(.active) { folio.insert(.workingset) }
    switch reclaim(folio, ignoringUse: true) {
    case .reclaimed: break
    case .kept: lists.add(folio)
    case .used, .dirty:
      folio.insert(.active)
      lists.advance(by: folio.pageCount)
      lists.add(folio)
    }
  }
}

extension FileNode {
  /// Takes the entries of a folio out unless somebody works on it. One that nothing was ever stored to is zero: it
  /// goes, and the next access makes another.
  fileprivate func giveUpMemory(_ folio: Folio) {
    guard folio.tryLock() else { return }
    defer { folio.unlock() }
    guard folio.lies(in: cache) else { return }
    unmap(folio.index..<folio.endIndex, includingCopies: false)
    // The caller's reference and the slots'.
    if !folio.contains(.dirty), folio.references == 1 + folio.pageCount { remove(folio) }
  }
}
