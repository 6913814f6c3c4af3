extension AddressSpace {
  /// Makes `access` at `page` possible, or says which signal it ends in. Kernel: `do_user_addr_fault`.
  ///
  /// All retries and the whole lock protocol are here. First, where the mode has it and the program itself made the
  /// access, an attempt without a lock, or, where the rules have it as well, under the area's own; then attempts under
  /// the address space's lock, all but the first of which may not drop it again.
  func resolve(
    _ page: UInt64, _ access: Access, from origin: AccessOrigin = .program, by task: inout FaultTask
  ) -> Signal? {
    var flags: FaultFlags = FaultFlags.standard
    if origin == .program { flags.insert(.user) }
    if access == .write { flags.insert(.write) }
    if access == .execute { flags.insert(.instruction) }
    if origin == .program, machine.rules.usesVMALockForFiles { flags.insert(.vmaLock) }
    defer { task.arriving = FaultTask.nothing }
    events.note(EngineEvent(fault: page, access, from: origin, entry(ofPage: page)))
    if origin == .program, lockMode.isSpeculative, speculate(page, access, flags, by: &task) {
      epochs.collectIfDue(mayLook: false)
      return nil
    }
    var hasWaited = false
    while true {
      guard let area = lockArea(covering: page, access, &flags, by: &task) else { return .segv(.mapErr) }
      guard permits(area, access, page) else {
        unlock(area, after: flags)
        return .segv(.accErr)
      }
      let result = handleFault(area, page, flags, by: &task)
      // A retry means that the handler has dropped the lock already.
      guard result.contains(.retry) else {
        unlock(area, after: flags)
        epochs.collectIfDue(mayLook: hasWaited || result.contains(.major))
        return result.isError ? Self.signal(for: result) : nil
      }
      hasWaited = true
      if flags.contains(.vmaLock) {
        flags.remove(.vmaLock)
        if result.contains(.major) { flags.insert(.tried) }
      } else {
        flags.insert(.tried)
      }
    }
  }

  /// Kernel: `access_error`. A store needs the area's permission; a load or fetch needs any permission, unless the
  /// entry was present and refused it.
  func permits(_ area: VMAPointer, _ access: Access, _ page: UInt64) -> Bool {
    let flags = area.flags
    if access == .write { return flags.contains(.write) }
    if flags.isDisjoint(with: .access) { return false }
    guard access == .execute, !flags.contains(.execute) else { return true }
    let entry = entry(ofPage: page)
    return !entry.isPresent
  }

  private static func signal(for result: FaultResult) -> Signal {
    if result.contains(.poisoned) { return .bus(.mceErrAR) }
    return result.contains(.segmentationFault) ? .segv(.mapErr) : .bus(.adrErr)
  }

  /// One attempt, counted. Kernel: `handle_mm_fault`, `mm_account_fault`.
  ///
  /// A retry counts nothing, an error counts nothing, and an attempt after the first counts as major whatever it finds.
  @inline(__always)
  func handleFault(_ area: VMAPointer, _ page: UInt64, _ flags: FaultFlags, by task: inout FaultTask) -> FaultResult {
    task.attempts.handlings &+= 1
    let reader = task.reader(epoch, of: epochs)
    let result = attemptFault(area, page, flags, &task.arriving, &task.directFaults, reader)
    if !result.contains(.retry), !result.isError {
      task.count(major: result.contains(.major) || flags.contains(.tried))
    }
    return result
  }

  /// Sorts by what is entered for the page now. Kernel: `__handle_mm_fault`.
  private func attemptFault(
    _ area: VMAPointer, _ page: UInt64, _ flags: FaultFlags, _ arriving: inout UInt64,
    _ direct: inout DirectFaultCounts, _ reader: EpochDomain.RecordPointer
  ) -> FaultResult {
    var found = table.middle(forPage: page)
    if found == nil {
      if let result = faultGigantic(area, page, flags) { return result }
      found = table.allocateUpperTables(forPage: page)
    }
    guard let middle = found else { return .outOfMemory }
    var context = FaultContext(
      space: self, area: area, page: page, flags: flags, middle: middle, arriving: arriving, reader: reader)
    defer {
      arriving = context.arriving
      if !context.direct.isEmpty { direct.add(context.direct) }
    }
    if middle.leaf == nil, let result = faultHuge(&context) { return result }
    // There may be one now: what was huge may have been split.
    guard let leaf = middle.leaf else { return faultMissing(&context) }
    return faultEntry(&context, in: leaf)
  }

  /// Sorts by the page's own entry. Kernel: `handle_pte_fault`.
  @inline(__always)
  func faultEntry(_ context: inout FaultContext, in leaf: PageTable.Table) -> FaultResult {
    let pointer = leaf.entries + PageTable.slot(ofPage: context.page, level: 0)
    let seen = PageTableEntry(rawValue: pointer.pointee.load(ordering: .acquiring))
    context.seen = seen
    if seen.isNone { return faultMissing(&context) }
    guard seen.isPresent else {
      if context.isSpeculative { return context.abort(.marker) }
      return seen == .poisonMarker ? .poisoned : .segmentationFault
    }
    return faultPresent(&context, leaf, pointer)
  }

  /// Nothing is entered: anonymous memory or a file page. Kernel: `do_pte_missing`, `do_fault`.
  private func faultMissing(_ context: inout FaultContext) -> FaultResult {
    guard let cache = context.area.pointee.cache else { return faultAnonymous(&context) }
    if cache.pointee.isDirect { return faultDirect(&context) }
    if !context.isWrite { return faultRead(&context) }
    if context.isSpeculative { return context.abort(.fileCopy) }
    return context.area.flags.contains(.shared) ? faultShared(&context) : faultCopy(&context)
  }

  /// Something is entered and the processor did not let the access through: the second half of `handle_pte_fault`.
  private func faultPresent(
    _ context: inout FaultContext, _ leaf: PageTable.Table, _ pointer: WordPointer
  ) -> FaultResult {
    guard context.lock(leaf) else { return context.refusal }
    let tableLock = table.lock(of: leaf)
    let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
    guard context.isUnchanged(entry) else {
      tableLock.pointee.lock.unlock()
      return []
    }
    if context.isWrite || context.flags.contains(.unshare), !entry.isWritable {
      return faultWriteProtected(&context, entry, leaf, pointer)
    }
    let marks = PageTableEntry.accessedBit | (context.isWrite ? PageTableEntry.dirtyBit : 0)
    pointer.pointee.bitwiseOr(marks, ordering: .relaxed)
    tableLock.pointee.lock.unlock()
    return []
  }
}
