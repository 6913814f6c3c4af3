extension AddressSpace {
  /// An access to memory without a file whose page is not entered. Kernel: `do_anonymous_page`.
  ///
  /// A load maps the page of zeroes, which is neither counted nor referenced; a store gets a zeroed page of its own.
  func faultAnonymous(_ context: inout FaultContext) -> FaultResult {
    guard context.prepareTable() else { return .outOfMemory }
    // Another thread's huge page came first: make the access again.
    guard let leaf = context.installTable() else { return context.refusal }
    let permissions = context.area.pointee.entryPermissions.load(ordering: .relaxed) | PageTableEntry.accessedBit
    guard context.isWrite else {
      let zero = PageTableEntry(frame: machine.zeroFrame, permissions: permissions | PageTableEntry.specialBit)
        .without(PageTableEntry.writableBit)
      return set(zero, in: leaf, &context) ? [] : context.refusal
    }
    preparePrivatePages(of: context.area)
    guard let folio = memory.allocateZeroed(order: 0) else { return .outOfMemory }
    folio.becomePrivate(page: context.page)
    folio.addMapping(of: folio.head)
    let entry = PageTableEntry(
      frame: memory.number(of: folio.head),
      permissions: permissions | PageTableEntry.dirtyBit | writableBit(of: context.area))
    guard set(entry, in: leaf, &context) else {
      folio.removeMapping(of: folio.head)
      folio.put(to: memory)
      return context.refusal
    }
    countPrivatePages(1)
    return []
  }

  private func set(
    _ entry: PageTableEntry, in leaf: PageTable.Table, _ context: inout FaultContext
  ) -> Bool {
    let pointer = leaf.entries + PageTable.slot(ofPage: context.page, level: 0)
    guard context.lock(leaf) else { return false }
    defer { table.lock(of: leaf).pointee.lock.unlock() }
    guard context.isUnchanged(PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))) else { return false }
    pointer.pointee.store(entry.rawValue, ordering: .releasing)
    return true
  }
}
