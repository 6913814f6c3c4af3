/// The way through the fault handler. Kernel: `__get_user_pages`, `follow_page_mask`, `faultin_page`.
extension AddressSpace {
  /// Takes hold of pages under the address space's lock, faulting in what is missing, up to the first page that cannot
  /// be had. Kernel: `get_user_pages_remote`, `__get_user_pages_locked`.
  ///
  /// - Returns: why the first page that is not recorded could not be had; `nil` when all are.
  @discardableResult
  func holdSlowly(
    _ pages: Range<UInt64>, _ flags: PinFlags, into held: inout PinnedPages, by task: inout FaultTask
  ) -> Refusal? {
    defer { task.arriving = FaultTask.nothing }
    var page = pages.lowerBound
    while page < pages.upperBound {
      let before = held.pageCount
      if let refusal = holdOne(page, pages.upperBound, flags, into: &held, by: &task) { return refusal }
      page &+= held.pageCount &- before
    }
    return nil
  }

  /// Why a page could not be had.
  enum Refusal {
    /// No area, none that allows it, or a fault that ends in a signal. `EFAULT`
    case fault
    /// The area's file would have to wait for the holder. `EOPNOTSUPP`
    case longTerm
    /// There is no memory, or the folio is held as often as it can be. `ENOMEM`
    case memory
    /// The page would have to be faulted in, which was not wanted. `EFAULT`
    case missing
    /// The page would have to be waited for, which was not wanted. `EAGAIN`
    case absent
  }

  /// The page that is entered, with those behind it that the same entry maps.
  private func holdOne(
    _ page: UInt64, _ end: UInt64, _ flags: PinFlags, into held: inout PinnedPages, by task: inout FaultTask
  ) -> Refusal? {
    var attempt: FaultFlags = flags.contains(.unlockable) ? [.allowRetry, .killable] : []
    if flags.contains(.write) { attempt.insert(.write) }
    if flags.contains(.noWait) { attempt.formUnion([.allowRetry, .retryNoWait]) }
    while true {
      attempt.remove(.unshare)
      lock.lockShared()
      guard let area = areas.area(covering: page) else {
        lock.unlockShared()
        return .fault
      }
      // A truncation of such a file waits for its pages, and would wait for ever. Kernel: `check_vma_flags`.
      if flags.contains(.longTerm), area.file?.node.dax != nil {
        lock.unlockShared()
        return .longTerm
      }
      guard area.permits(flags, machine.rules.holds) else {
        lock.unlockShared()
        return .fault
      }
      switch follow(page, min(end, area.pages.upperBound), in: area, flags, into: &held) {
      case .held:
        lock.unlockShared()
        return nil
      case .heldTooOften:
        lock.unlockShared()
        return .memory
      case .missing: break
      }
      guard !flags.contains(.noFault) else {
        lock.unlockShared()
        return .missing
      }
      if mustUnshare(page, held.kind, flags) { attempt.insert(.unshare) }
      let result = handleFault(area, page, attempt, by: &task)
      if result.contains(.retry) {
        guard !flags.contains(.noWait) else {
          lock.unlockShared()
          return .absent
        }
        attempt.insert(.tried)
        continue
      }
      lock.unlockShared()
      if result.isError { return result.contains(.outOfMemory) ? .memory : .fault }
    }
  }

  private enum Finding {
    case held, missing, heldTooOften
  }

  /// Takes hold of what is entered now, if the entry allows what is wanted. Kernel: `follow_page_pte` with
  /// `FOLL_TOUCH`.
  private func follow(
    _ page: UInt64, _ end: UInt64, in area: VMAPointer, _ flags: PinFlags, into held: inout PinnedPages
  ) -> Finding {
    var finding = Finding.missing
    var taken: (first: FrameNumber, pages: UInt64)?
    var whole = PageTableEntry.none
    _ = table.withEntry(ofPage: page) { pointer in
      whole = PageTableEntry(rawValue: pointer.pointee.load(ordering: .acquiring))
      let entry = whole.single(page)
      guard entry.isPresent, !flags.contains(.write) || entry.isWritable || isForcedCopy(entry, in: area, flags) else {
        return
      }
      // One page of zeroes is as good as another, and this one needs no reference.
      guard !entry.isSpecial || whole.isHuge else {
        taken = (machine.zeroFrame, 1)
        return
      }
      guard !mustUnshare(entry, held.kind, flags) else { return }
      let pages = pagesOfEntry(whole, from: page, limit: end)
      guard let folio = Folio.grab(machine.memory.frame(entry.frame), pages, held.kind, in: memory) else {
        finding = .heldTooOften
        return
      }
      if flags.contains(.write), !entry.isDirty { folio.markDirty() }
      if !entry.isSpecial { machine.markAccessed(folio) }
      taken = (entry.frame, pages)
    }
    guard let taken else { return finding }
    machine.events.note(EngineEvent(.slow, whole, page: page, count: taken.pages, in: memory))
    held.record(taken.first, taken.pages)
    return .held
  }

  private func mustUnshare(_ page: UInt64, _ kind: HoldKind, _ flags: PinFlags) -> Bool {
    table.withEntry(ofPage: page) { pointer in
      mustUnshare(PageTableEntry(rawValue: pointer.pointee.load(ordering: .acquiring)).single(page), kind, flags)
    } ?? false
  }

  /// Whether somebody else's store could come between what is pinned for reading and what the program sees.
  /// Kernel: `gup_must_unshare`.
  private func mustUnshare(_ entry: PageTableEntry, _ kind: HoldKind, _ flags: PinFlags) -> Bool {
    guard kind == .pin, !flags.contains(.write), entry.isPresent, !entry.isSpecial else { return false }
    let folio = Folio(of: machine.memory.frame(entry.frame))
    return folio.isPrivate && !folio.contains(.exclusive)
  }

  /// Whether a forced store has broken the sharing of this page already, though its entry stays read-only.
  /// Kernel: `can_follow_write_pte`.
  private func isForcedCopy(_ entry: PageTableEntry, in area: VMAPointer, _ flags: PinFlags) -> Bool {
    flags.contains(.force) && area.flags.isDisjoint(with: [.shared, .mayShare, .write])
      && area.flags.contains(.mayWrite) && !entry.isSpecial
      && Folio(of: machine.memory.frame(entry.frame)).isExclusive
  }
}

extension VMAPointer {
  /// Kernel: `check_vma_flags`.
  fileprivate func permits(_ wanted: PinFlags, _ rules: KernelRules.HoldRules) -> Bool {
    let flags = flags
    if wanted.contains(.write) {
      // Whoever stores for long does so behind the back of the file's bookkeeping of what is dirty.
      let isFollowed = flags.contains(.shared) && notifiesOfWrites
      if wanted.contains(.longTerm), isFollowed, rules.refusesLongStores { return false }
      return flags.contains(.write) || wanted.contains(.force) && flags.isCopyOnWrite
    }
    return flags.contains(.read) || wanted.contains(.force) && flags.contains(.mayRead)
  }
}
