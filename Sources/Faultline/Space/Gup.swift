/// What the kernel wants pages of a program for. Kernel: `FOLL_*`.
struct GetFlags: OptionSet {
  let rawValue: UInt32

  /// The entry must allow stores. Kernel: `FOLL_WRITE`.
  static let write = GetFlags(rawValue: 1 << 0)
  /// What the area may be made to allow is enough; a store to a private area then makes a copy that the program cannot
  /// write. Kernel: `FOLL_FORCE`.
  static let force = GetFlags(rawValue: 1 << 1)
  /// A fault may drop the address space's lock and be tried again. Kernel: `FOLL_UNLOCKABLE`.
  static let unlockable = GetFlags(rawValue: 1 << 2)
  /// The pages' contents will be used later: what is read must be what the program itself will see. Kernel: `FOLL_PIN`.
  static let pin = GetFlags(rawValue: 1 << 3)
}

/// Consecutive pages of a program with one reference on each; its end gives them back.
struct HeldPages: ~Copyable {
  /// The zero page's frame is among them without a reference.
  fileprivate(set) var frames: [FrameNumber] = []
  let machine: Machine

  fileprivate init(machine: Machine, capacity: Int) {
    self.machine = machine
    frames.reserveCapacity(capacity)
  }

  deinit {
    for number in frames where number != machine.zeroFrame {
      Folio(of: machine.memory.frame(number)).put(to: machine.memory)
    }
  }
}

extension AddressSpace {
  /// Takes a reference on each page of a range, faulting in what is missing, up to the first page that cannot be had.
  /// Kernel: `get_user_pages_remote`, `__get_user_pages_locked`.
  func getPages(_ pages: Range<UInt64>, _ flags: GetFlags, by task: inout FaultTask) -> HeldPages {
    var held = HeldPages(machine: machine, capacity: pages.count)
    defer { task.arriving = FaultTask.nothing }
    for page in pages {
      guard let frame = getPage(page, flags, by: &task) else { return held }
      held.frames.append(frame)
    }
    return held
  }

  private func getPage(_ page: UInt64, _ flags: GetFlags, by task: inout FaultTask) -> FrameNumber? {
    var attempt: FaultFlags = flags.contains(.unlockable) ? [.allowRetry, .killable] : []
    if flags.contains(.write) { attempt.insert(.write) }
    while true {
      attempt.remove(.unshare)
      lock.lockShared()
      guard let area = areas.area(covering: page), area.permits(flags) else {
        lock.unlockShared()
        return nil
      }
      if let frame = follow(page, in: area, flags) {
        lock.unlockShared()
        return frame
      }
      if mustUnshare(page, flags) { attempt.insert(.unshare) }
      let result = handleFault(area, page, attempt, by: &task)
      if result.contains(.retry) {
        attempt.insert(.tried)
        continue
      }
      lock.unlockShared()
      if result.isError { return nil }
    }
  }

  /// The page that is entered now, with a reference, if the entry allows what is wanted. Kernel: `follow_page_pte` with
  /// `FOLL_TOUCH`.
  private func follow(_ page: UInt64, in area: VMAPointer, _ flags: GetFlags) -> FrameNumber? {
    let followed = table.withEntry(ofPage: page) { pointer -> FrameNumber? in
      let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .acquiring)).single(page)
      guard entry.isPresent, !flags.contains(.write) || entry.isWritable || isForcedCopy(entry, in: area, flags) else {
        return nil
      }
      // One page of zeroes is as good as another, and this one needs no reference.
      guard !entry.isSpecial else { return machine.zeroFrame }
      guard !mustUnshare(entry, flags) else { return nil }
      let folio = Folio(of: machine.memory.frame(entry.frame))
      folio.get()
      if flags.contains(.write), !entry.isDirty { folio.markDirty() }
      machine.markAccessed(folio)
      return entry.frame
    }
    return followed ?? nil
  }

  private func mustUnshare(_ page: UInt64, _ flags: GetFlags) -> Bool {
    table.withEntry(ofPage: page) { pointer in
      mustUnshare(PageTableEntry(rawValue: pointer.pointee.load(ordering: .acquiring)).single(page), flags)
    } ?? false
  }

  /// Whether somebody else's store could come between what is pinned for reading and what the program sees.
  /// Kernel: `gup_must_unshare`.
  private func mustUnshare(_ entry: PageTableEntry, _ flags: GetFlags) -> Bool {
    guard flags.intersection([.pin, .write]) == .pin, entry.isPresent, !entry.isSpecial else { return false }
    let folio = Folio(of: machine.memory.frame(entry.frame))
    return folio.isPrivate && !folio.contains(.exclusive)
  }

  /// Whether a forced store has broken the sharing of this page already, though its entry stays read-only.
  /// Kernel: `can_follow_write_pte`.
  private func isForcedCopy(_ entry: PageTableEntry, in area: VMAPointer, _ flags: GetFlags) -> Bool {
    flags.contains(.force) && area.flags.isDisjoint(with: [.shared, .mayShare, .write])
      && area.flags.contains(.mayWrite) && !entry.isSpecial
      && Folio(of: machine.memory.frame(entry.frame)).isExclusive
  }
}

extension VMAPointer {
  /// Kernel: `check_vma_flags`.
  fileprivate func permits(_ wanted: GetFlags) -> Bool {
    let flags = flags
    if wanted.contains(.write) {
      return flags.contains(.write) || wanted.contains(.force) && flags.isCopyOnWrite
    }
    return flags.contains(.read) || wanted.contains(.force) && flags.contains(.mayRead)
  }
}
