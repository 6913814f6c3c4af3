extension AddressSpace {
  /// Changes what a range allows. mprotect(2).
  ///
  /// - Throws: `EINVAL` for an unaligned address or a border inside what one entry of a device maps, `ENOMEM` when part
  ///   of the range is not mapped (what lies before it is changed), `EACCES` when the file does not allow it.
  public func mprotect(
    _ address: VirtualAddress, length: UInt64, _ protection: Protection, by task: inout FaultTask
  ) throws(KernelError) {
    let pages = try Self.pageRange(address, length, call: "mprotect", beyondEnd: .ENOMEM)
    var toCopy: [Range<UInt64>] = []
    defer { for part in toCopy { populate(part, mayDropLock: false, by: &task) } }
    guard !pages.isEmpty else { return }
    lockForChange()
    defer { unlockAfterChange() }
    var next = pages.lowerBound
    while next < pages.upperBound {
      guard let area = areas.area(covering: next) else {
        throw KernelError(.ENOMEM, "mprotect of a range that is not mapped everywhere")
      }
      guard area.allows(protection) else {
        throw KernelError(.EACCES, "mprotect to a permission that the file does not allow")
      }
      let part = next..<min(area.end, pages.upperBound)
      let flags = area.flags(under: protection)
      // Locked private memory that becomes writable is copied at once, lest the first store wait.
      if area.flags.intersection([.write, .shared, .locked]) == .locked, flags.contains(.write) { toCopy.append(part) }
      if flags != area.flags { try setFlags(flags, of: part) }
      next = part.upperBound
    }
  }

  /// Gives a part of one area its new flags. Kernel: `mprotect_fixup`.
  private func setFlags(_ flags: VMAFlags, of part: Range<UInt64>) throws(KernelError) {
    try split(at: part.lowerBound)
    try split(at: part.upperBound)
    guard let area = areas.area(covering: part.lowerBound) else { return }
    mark(area)
    area.setFlags(flags)
    rewriteEntries(of: area)
    mergeNeighbours(of: part)
  }

  /// Gives the entries of an area its new permissions. Kernel: `change_protection`.
  private func rewriteEntries(of area: VMAPointer) {
    let permissions = area.pointee.entryPermissions.load(ordering: .relaxed)
    let flags = area.flags
    table.forEachEntry(in: area.pages) { _, pointer in
      guard PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed)).isPresent else { return }
      // Taken out and put back, so that no mark which the processor makes meanwhile is lost.
      let old = PageTableEntry(rawValue: pointer.pointee.exchange(0, ordering: .acquiring))
      var new = old.withPermissions(permissions)
      // An entry is writable again at once only where no fault has anything left to do.
      if flags.contains(.write), canWriteAtOnce(new, flags) { new = new.with(PageTableEntry.writableBit) }
      pointer.pointee.store(new.rawValue, ordering: .releasing)
    }
  }

  /// Kernel: `can_change_pte_writable`.
  private func canWriteAtOnce(_ entry: PageTableEntry, _ flags: VMAFlags) -> Bool {
    if entry.isSpecial { return false }
    if flags.contains(.shared) { return entry.isDirty }
    return Folio(of: machine.memory.frame(entry.frame)).isExclusive
  }
}

extension VMAPointer {
  /// The flags that the area will have under other permissions. What becomes writable is counted from then on, except
  /// that anonymous memory which nobody wrote is given back when it is protected. Kernel: `mprotect_fixup`.
  fileprivate func flags(under protection: Protection) -> VMAFlags {
    var flags = flags.subtracting(.access).union(VMAFlags(rawValue: protection.rawValue & 7))
    if flags.contains(.write) {
      if flags.isDisjoint(with: [.shared, .noReserve]) { flags.insert(.accounted) }
    } else if pointee.cache == nil, privateFamily == 0 {
      flags.remove(.accounted)
    }
    return flags
  }

  /// Whether the area may be given these permissions.
  func allows(_ protection: Protection) -> Bool {
    (!protection.contains(.read) || flags.contains(.mayRead))
      && (!protection.contains(.write) || flags.contains(.mayWrite))
      && (!protection.contains(.execute) || flags.contains(.mayExecute))
  }
}
