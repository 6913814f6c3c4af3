extension AddressSpace {
  /// Faults in what is mapped in a range and can be had, as MAP_POPULATE and mlock(2) do.
  ///
  /// - Throws: `EINVAL` for an unaligned address or a range past the end of the address space.
  public func populate(_ address: VirtualAddress, length: UInt64, by task: inout FaultTask) throws(KernelError) {
    populate(try Self.pageRange(address, length, call: "populate"), by: &task)
  }

  /// Faults a mapping in, as MAP_POPULATE, MAP_LOCKED and mlock(2) do, up to the first page that cannot be had.
  /// Kernel: `populate_vma_page_range`.
  ///
  /// The retry after a read is not marked as one, so a cold page counts as minor here. A private writable area is
  /// copied at once; a shared one is only read, so that nothing gets dirty. One that is locked on fault is left alone.
  ///
  /// - Parameter mayDropLock: whether a fault that must read may drop the lock and come again; one that may not counts
  ///   as major.
  /// - Returns: whether every page that is mapped is there now.
  @discardableResult
  func populate(_ pages: Range<UInt64>, mayDropLock: Bool = true, by task: inout FaultTask) -> Bool {
    defer { task.arriving = FaultTask.nothing }
    var page = pages.lowerBound
    var runStart = page
    while page < pages.upperBound {
      lock.lockShared()
      guard let area = areas.firstArea(endingAfter: page), area.start < pages.upperBound else {
        lock.unlockShared()
        return true
      }
      page = max(page, area.start)
      runStart = max(runStart, area.start)
      let flags = area.flags
      if flags.contains(.lockedOnFault) {
        page = area.end
        lock.unlockShared()
        continue
      }
      guard !flags.isDisjoint(with: .access) else {
        lock.unlockShared()
        return false
      }
      let wantsWrite = flags.intersection([.write, .shared]) == .write
      if let usable = usablePages(from: page, limit: min(pages.upperBound, area.end), forWriting: wantsWrite, by: &task)
      {
        page += usable
        lock.unlockShared()
        continue
      }
      var attempt: FaultFlags = mayDropLock ? [.allowRetry, .killable] : []
      if wantsWrite { attempt.insert(.write) }
      let result = handleFault(area, page, attempt, by: &task)
      if result.contains(.retry) { continue }
      lock.unlockShared()
      if result.isError {
        // A page that ends a run of good ones is asked for once more, as the first of the next run.
        guard page > runStart else { return false }
        runStart = page
      }
    }
    return true
  }

  /// MADV_POPULATE_READ and MADV_POPULATE_WRITE: all of it or an error. Kernel: `faultin_page_range`.
  func populate(_ pages: Range<UInt64>, _ access: Access, by task: inout FaultTask) throws(KernelError) {
    var flags: FaultFlags = [.allowRetry, .killable]
    if access == .write { flags.insert(.write) }
    var page = pages.lowerBound
    var attempt = flags
    var runStart = page
    defer { task.arriving = FaultTask.nothing }
    while page < pages.upperBound {
      lock.lockShared()
      guard let area = areas.area(covering: page) else {
        lock.unlockShared()
        throw KernelError(.ENOMEM, "part of the range is not mapped")
      }
      guard area.flags.contains(access == .write ? .write : .read) else {
        lock.unlockShared()
        throw KernelError(.EINVAL, "populating memory that does not allow the access")
      }
      let limit = min(pages.upperBound, area.end)
      if let usable = usablePages(from: page, limit: limit, forWriting: access == .write, by: &task) {
        if access == .write { markDirty(page, of: area) }
        lock.unlockShared()
        page += usable
        attempt = flags
        continue
      }
      let result = handleFault(area, page, attempt, by: &task)
      if result.contains(.retry) {
        if machine.rules.populateAdviceMarksRetries { attempt.insert(.tried) }
        continue
      }
      lock.unlockShared()
      if result.isError {
        guard page > runStart else { throw KernelError(.EFAULT, "populating a page that ends in a signal") }
        runStart = page
        attempt = flags
      }
    }
  }

  /// A page that is taken for writing counts as written. Kernel: `FOLL_TOUCH`.
  private func markDirty(_ page: UInt64, of area: VMAPointer) {
    guard let cache = area.pointee.cache else { return }
    _ = table.withEntry(ofPage: page) { pointer in
      let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
      guard entry.isPresent, !entry.isDirty, !entry.isSpecial else { return }
      let folio = Folio(of: machine.memory.frame(entry.frame))
      if !folio.isPrivate, !folio.contains(.device) {
        cache.pointee.node._withUnsafeGuaranteedRef { $0.markDirty(folio) }
      }
    }
  }

  /// Pages from `page` on, below `limit`, whose entry is there and allows what is wanted; `nil` when that of `page`
  /// does not.
  private func usablePages(
    from page: UInt64, limit: UInt64, forWriting: Bool, by task: inout FaultTask
  ) -> UInt64? {
    let record = task.enter(epoch, of: epochs)
    defer { record.exit() }
    let entry = wholeEntry(ofPage: page)
    guard entry.isPresent, !forWriting || entry.isWritable else { return nil }
    let pages = pagesOfEntry(entry, from: page, limit: limit)
    machine.events.note(EngineEvent(.look, entry, page: page, count: pages, in: memory))
    return pages
  }
}
