extension AddressSpace {
  /// A store to a page that is entered read-only, or a pin of one for reading. The table is locked on entry and unlocked on every exit.
  /// Kernel: `do_wp_page`.
  func faultWriteProtected(
    _ context: inout FaultContext, _ entry: PageTableEntry, _ leaf: PageTable.Table, _ pointer: WordPointer
  ) -> FaultResult {
    let lock = table.lock(of: leaf)
    if context.area.flags.isDisjoint(with: [.shared, .mayShare]) {
      return entry.isSpecial
        ? copyOnWrite(&context, from: nil, leaf, pointer)
        : writePrivate(&context, entry, leaf, pointer)
    }
    if context.area.isDirect {
      lock.pointee.lock.unlock()
      return faultDirect(&context)
    }
    return writeShared(&context, entry, pointer, lock)
  }

  /// Kernel: `wp_page_shared`, `finish_mkwrite_fault`.
  private func writeShared(
    _ context: inout FaultContext, _ entry: PageTableEntry, _ pointer: WordPointer,
    _ lock: UnsafeMutablePointer<TableMemory.Metadata>
  ) -> FaultResult {
    let folio = Folio(of: memory.frame(entry.frame))
    folio.get()
    defer { folio.put(to: memory) }
    if context.area.notifiesOfWrites {
      lock.pointee.lock.unlock()
      guard makeWritable(folio, in: context.area) else { return [] }
      lock.pointee.lock.lock()
      guard context.isUnchanged(PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))) else {
        lock.pointee.lock.unlock()
        folio.unlock()
        return .noPage
      }
      reuse(pointer, context.area)
      lock.pointee.lock.unlock()
    } else {
      reuse(pointer, context.area)
      lock.pointee.lock.unlock()
      folio.lock()
    }
    markDirtyAndUnlock(folio, in: context.area)
    return []
  }

  /// A private page is reused when nobody else can see it, else copied; the file's page is always copied.
  private func writePrivate(
    _ context: inout FaultContext, _ entry: PageTableEntry, _ leaf: PageTable.Table, _ pointer: WordPointer
  ) -> FaultResult {
    let frame = memory.frame(entry.frame)
    let folio = Folio(of: frame)
    if folio.isPrivate, folio.contains(.exclusive) || folio.references == 1 {
      folio.insert(.exclusive)
      if context.isWrite { reuse(pointer, context.area) }
      table.lock(of: leaf).pointee.lock.unlock()
      return []
    }
    folio.get()
    return copyOnWrite(&context, from: frame, leaf, pointer)
  }

  /// Kernel: `wp_page_reuse`.
  private func reuse(_ pointer: WordPointer, _ area: VMAPointer) {
    pointer.pointee.bitwiseOr(
      PageTableEntry.accessedBit | PageTableEntry.dirtyBit | writableBit(of: area), ordering: .relaxed)
  }

  /// Replaces the entry by a copy of `source` (referenced by the caller), or by a zeroed page. Kernel: `wp_page_copy`.
  ///
  /// The old page's map count and reference go last: until the new entry stands, another processor may still read the old.
  private func copyOnWrite(
    _ context: inout FaultContext, from source: FramePointer?, _ leaf: PageTable.Table, _ pointer: WordPointer
  ) -> FaultResult {
    let lock = table.lock(of: leaf)
    lock.pointee.lock.unlock()
    let old = source.map { Folio(of: $0) }
    defer { old?.put(to: memory) }
    preparePrivatePages(of: context.area)
    guard let copy = source == nil ? memory.allocateZeroed(order: 0) : memory.allocate(order: 0) else {
      return .outOfMemory
    }
    if let source { memory.copyPage(from: source, to: copy.head) }
    copy.becomePrivate(page: context.page)

    guard context.lock(leaf) else {
      copy.put(to: memory)
      return context.refusal
    }
    guard context.isUnchanged(PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))) else {
      lock.pointee.lock.unlock()
      copy.put(to: memory)
      return []
    }
    var permissions = context.area.pointee.entryPermissions.load(ordering: .relaxed) | PageTableEntry.accessedBit
    if context.isWrite { permissions |= PageTableEntry.dirtyBit | writableBit(of: context.area) }
    copy.addMapping(of: copy.head)
    let entry = PageTableEntry(frame: memory.number(of: copy.head), permissions: permissions)
    pointer.pointee.store(entry.rawValue, ordering: .releasing)
    lock.pointee.lock.unlock()

    countPrivatePages(1)
    if let source, let old {
      if old.isPrivate { uncountPrivatePages(1) } else { uncountFilePages(1) }
      old.removeMapping(of: source)
      old.put(to: memory)
    }
    return []
  }
}
