/// From an entry of the file to an entry of the page table.
extension DirectFile {
  /// Lets a locked entry show something else from now on, unless it shows a block already. Kernel: `dax_insert_entry`.
  ///
  /// - Returns: the entry as it is now; `nil` when somebody still uses the device's pages for something else.
  func show(_ new: DAXEntry, for entry: DAXEntry, at index: UInt64, isDirty: Bool) -> DAXEntry? {
    // Zeroes that other mappings show must go before there is something to see.
    if entry.isZero, new.isBlock { node.unmap(entry.pages(around: index), includingCopies: false) }
    return withSlots { slots in
      var shown = entry
      if !entry.isBlock {
        if new.isBlock, !claim(new, at: entry.size.first(of: index)) { return nil }
        shown = new
        slots.replaceValue(at: index, with: new.locked.rawValue)
      }
      if isDirty { markDirty(index) }
      return shown
    }
  }

  private func claim(_ entry: DAXEntry, at index: UInt64) -> Bool {
    let page = backing.pages.page(of: memory.frame(entry.frame))
    let owner = UInt64(UInt(bitPattern: cache))
    return backing.pages.claim(page, order: entry.size.order, for: owner, at: index) != nil
  }
}

extension AddressSpace {
  /// Enters a page of a device, or 2 MiB of it; makes the entry that is there writable if it shows the same. Kernel:
  /// `vmf_insert_page_mkwrite`, `vmf_insert_folio_pmd`.
  func enterDirect(
    _ frame: FrameNumber, _ size: DirectSize, storing: Bool, _ context: inout FaultContext
  ) -> FaultResult {
    let result =
      size == .huge
      ? enterDirect(
        frame, PageTableEntry.hugeBit, at: context.middle.pointer, of: context.middle.table, in: context.area,
        storing: storing) : enterDirectPage(frame, storing: storing, &context)
    if storing, !result.isError { noteWritable(frame, size, context) }
    return result
  }

  private func noteWritable(_ frame: FrameNumber, _ size: DirectSize, _ context: borrowing FaultContext) {
    guard let file = context.area.file?.node.dax else { return }
    file.device.note(
      .writableEntry(
        inode: file.file.inode, page: size.first(of: context.filePage), pages: size.pageCount,
        devicePage: file.backing.pages.page(of: memory.frame(frame)), synchronous: context.area.flags.contains(.sync)))
  }

  private func enterDirectPage(
    _ frame: FrameNumber, storing: Bool, _ context: inout FaultContext
  ) -> FaultResult {
    guard let leaf = context.installTable(), context.lock(leaf) else { return .noPage }
    defer { table.lock(of: leaf).pointee.lock.unlock() }
    let pointer = leaf.entries + PageTable.slot(ofPage: context.page, level: 0)
    let there = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
    guard there.isNone else { return makeDirectWritable(pointer, there, frame, storing: storing, context.area) }
    let folio = Folio(of: memory.frame(frame))
    folio.get()
    folio.addMapping(of: memory.frame(frame))
    pointer.pointee.store(
      PageTableEntry(frame: frame, permissions: permissions(context)).rawValue, ordering: .releasing)
    countFilePages(1)
    return .noPage
  }

  /// Enters a whole folio of several pages by one entry. Kernel: `vmf_insert_folio_pmd`, `vmf_insert_folio_pud`.
  ///
  /// - Parameters:
  ///   - size: the bits that tell an entry of its size in the middle or the upper `table`.
  ///   - pointer: the entry.
  /// - Returns: `noPage` too where a table stands.
  func enterDirect(
    _ frame: FrameNumber, _ size: UInt64, at pointer: WordPointer, of table: PageTable.Table, in area: VMAPointer,
    storing: Bool
  ) -> FaultResult {
    self.table.lock(of: table).pointee.lock.withLock {
      let there = PageTableEntry(rawValue: pointer.pointee.load(ordering: .acquiring))
      guard there.isNone else {
        return there.isHuge ? makeDirectWritable(pointer, there, frame, storing: storing, area) : .noPage
      }
      let folio = Folio(of: memory.frame(frame))
      folio.get()
      folio.addHugeMapping()
      var permissions = area.pointee.entryPermissions.load(ordering: .relaxed) | PageTableEntry.accessedBit
      if storing { permissions |= PageTableEntry.dirtyBit | writableBit(of: area) }
      pointer.pointee.store(
        PageTableEntry(frame: frame, permissions: permissions | size).rawValue, ordering: .releasing)
      countFilePages(folio.pageCount)
      countHugeFilePages(folio.pageCount)
      return .noPage
    }
  }

  /// Under the table's lock: somebody was first, or a store makes what was entered for a load writable.
  private func makeDirectWritable(
    _ pointer: WordPointer, _ there: PageTableEntry, _ frame: FrameNumber, storing: Bool, _ area: VMAPointer
  ) -> FaultResult {
    guard storing, there.isPresent else { return .noPage }
    guard there.frame == frame, !there.isSpecial else {
      return !there.isSpecial && machine.rules.direct.refusesOtherPage ? .busError : .noPage
    }
    pointer.pointee.bitwiseOr(
      PageTableEntry.accessedBit | PageTableEntry.dirtyBit | writableBit(of: area), ordering: .relaxed)
    return .noPage
  }

  /// Zeroes for a page of a hole, where nothing is entered yet. Kernel: `dax_load_hole`.
  func enterZero(_ context: inout FaultContext) -> FaultResult {
    guard let leaf = context.installTable(), context.lock(leaf) else { return .noPage }
    defer { table.lock(of: leaf).pointee.lock.unlock() }
    let pointer = leaf.entries + PageTable.slot(ofPage: context.page, level: 0)
    guard pointer.pointee.load(ordering: .relaxed) == 0 else { return .noPage }
    let entry = PageTableEntry(
      frame: machine.zeroFrame,
      permissions: context.area.pointee.entryPermissions.load(ordering: .relaxed) | PageTableEntry.accessedBit
        | PageTableEntry.specialBit
    ).without(PageTableEntry.writableBit)
    pointer.pointee.store(entry.rawValue, ordering: .releasing)
    return .noPage
  }
}
