extension AddressSpace {
  /// Enters a locked, referenced page for the faulting address. Kernel: `finish_fault`, `set_pte_range`.
  ///
  /// On success the caller's reference has become the entry's. `noPage` means that somebody else was first: then, and on an
  /// error, the reference remains the caller's.
  func finishFault(
    _ context: inout FaultContext, entering frame: FramePointer, isPrivateCopy: Bool
  ) -> FaultResult {
    guard let leaf = context.installTable() else { return .outOfMemory }
    let pointer = leaf.entries + PageTable.slot(ofPage: context.page, level: 0)
    let tableLock = table.lock(of: leaf)
    tableLock.pointee.lock.lock()
    guard context.isUnchanged(PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))) else {
      tableLock.pointee.lock.unlock()
      return .noPage
    }
    var permissions = context.area.pointee.entryPermissions.load(ordering: .relaxed) | PageTableEntry.accessedBit
    if context.isWrite { permissions |= PageTableEntry.dirtyBit | writableBit(of: context.area) }
    let entry = PageTableEntry(frame: machine.memory.number(of: frame), permissions: permissions)
    Folio.addMapping(of: frame)
    pointer.pointee.store(entry.rawValue, ordering: .releasing)
    tableLock.pointee.lock.unlock()
    if isPrivateCopy { countPrivatePages(1) } else { countFilePages(1) }
    return []
  }

  /// What makes an entry of `area` writable, if the area may be written. Kernel: `maybe_mkwrite`.
  func writableBit(of area: VMAPointer) -> UInt64 {
    area.flags.contains(.write) ? PageTableEntry.writableBit : 0
  }
}
