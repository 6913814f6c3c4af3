extension AddressSpace {
  /// A copy of the address space for a child. fork(2). Kernel: `dup_mmap`, `copy_page_range`.
  ///
  /// Areas without private copies come without entries: the child faults them in again. Where private copies may exist
  /// all entries are copied, and what both may write is made read-only in both, so that the next store copies it.
  ///
  /// - Throws: `ENOMEM`; then no child is left behind.
  public func fork() throws(KernelError) -> AddressSpace {
    let child = try AddressSpace(machine: machine, lockMode: lockMode)
    lockForChange()
    defer { unlockAfterChange() }
    copySequence.wrappingAdd(1, ordering: .sequentiallyConsistent)
    defer { copySequence.wrappingAdd(1, ordering: .releasing) }
    child.nextFamily.store(nextFamily.load(ordering: .relaxed), ordering: .relaxed)
    var isComplete = true
    areas.forEach { area in
      markForFork(area)
      guard !area.flags.contains(.dontCopy) else { return }
      let copy = VMAPointer.make(
        in: child, pages: area.pages, flags: area.flags.subtracting([.locked, .lockedOnFault]),
        filePage: area.filePage(of: area.start),
        file: area.file)
      copy.pointee.privateFamily.store(child.inheritedFamily(of: area), ordering: .relaxed)
      child.areas.insert(copy)
      copy.file?.node.add(copy)
      if area.privateFamily != 0 || area.flags.contains(.mayGuard), !area.flags.contains(.wipeOnFork) {
        isComplete = isComplete && copyEntries(of: area, to: child)
      }
    }
    guard isComplete else { throw KernelError(.ENOMEM, "no memory for the child's page tables") }
    return child
  }

  /// Faults stay out of the parent's areas while its entries become read-only: one that ran now could copy a page to
  /// which another thread still stores.
  private func markForFork(_ area: VMAPointer) {
    #if DEBUG || ModelCheck
      if machine.switches.has(.forkLeavesAreasUnmarked) { return }
    #endif
    mark(area)
  }

  private func copyEntries(of area: VMAPointer, to child: AddressSpace) -> Bool {
    let isCopyOnWrite = area.flags.isCopyOnWrite
    let mayBePinned = hasPinned.load(ordering: .sequentiallyConsistent) != 0
    if mayBePinned { splitPinned(in: area.pages) }
    var isComplete = true
    var copied: [(page: UInt64, entry: PageTableEntry)] = []
    table.forEachEntry(in: area.pages) { page, pointer in
      var entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
      guard entry.isPresent else {
        copied.append((page, entry))
        return
      }
      // The child faults what a file's huge entry shows in again.
      guard !entry.isHuge || isPrivate(entry) else { return }
      if mayBePinned, isPinned(entry) {
        if let copy = copyOfPinned(entry, page) { copied.append((page, copy)) } else { isComplete = false }
        return
      }
      #if DEBUG || ModelCheck
        machine.switches.pass(.notPinned)
      #endif
      if isCopyOnWrite, entry.isWritable {
        pointer.pointee.bitwiseAnd(~PageTableEntry.writableBit, ordering: .relaxed)
        entry = entry.without(PageTableEntry.writableBit)
      }
      if !isCopyOnWrite { entry = entry.without(PageTableEntry.dirtyBit) }
      share(entry)
      copied.append((page, entry.without(PageTableEntry.accessedBit)))
    }
    for (index, (page, entry)) in copied.enumerated() where !child.enter(entry, at: page) {
      for (_, left) in copied[index...] {
        child.count(left)
        child.giveUp(left)
      }
      return false
    }
    return isComplete
  }

  /// The child's entry takes a reference and a map count of its own, and the child counts it.
  private func share(_ entry: PageTableEntry) {
    guard !entry.isSpecial else { return }
    let frame = machine.memory.frame(entry.frame)
    let folio = Folio(of: frame)
    folio.get()
    folio.remove(.exclusive)
    if entry.isHuge { folio.addHugeMapping() } else { folio.addMapping(of: frame) }
  }

  /// Sets an entry that carries its reference already, making tables as needed; `false` without memory.
  func enter(_ entry: PageTableEntry, at page: UInt64) -> Bool {
    guard entry.isHuge ? enterHuge(entry, at: page) : enterSingle(entry, at: page) else { return false }
    count(entry)
    return true
  }

  private func enterSingle(_ entry: PageTableEntry, at page: UInt64) -> Bool {
    guard let leaf = table.makeLeaf(forPage: page) else { return false }
    table.lock(of: leaf).pointee.lock.withLock {
      leaf.entries[PageTable.slot(ofPage: page, level: 0)].store(entry.rawValue, ordering: .releasing)
    }
    return true
  }

  private func enterHuge(_ entry: PageTableEntry, at page: UInt64) -> Bool {
    if entry.isGigantic {
      guard let upper = table.allocateUpperEntry(forPage: page) else { return false }
      return table.setGigantic(entry, at: upper)
    }
    guard let middle = table.allocateUpperTables(forPage: page) else { return false }
    // Moved here where single pages lay once: their table is empty.
    if let leaf = table.takeLeaf(at: middle) { machine.tables.retire(leaf) }
    guard isPrivate(entry) else { return table.setHuge(entry, at: middle) }
    var deposit = SpareTable(memory: machine.tables)
    return deposit != nil && table.setHuge(entry, at: middle, depositing: &deposit)
  }

  /// Counts an entry that was moved or copied here.
  func count(_ entry: PageTableEntry) {
    guard entry.isPresent, !entry.isSpecial else { return }
    let isPrivate = Folio(of: machine.memory.frame(entry.frame)).isPrivate
    if isPrivate { countPrivatePages(entry.pageCount) } else { countFilePages(entry.pageCount) }
    if entry.isHuge, !isPrivate { countHugeFilePages(entry.pageCount) }
  }
}
