extension AddressSpace {
  /// Keeps a range in memory and, unless `onFault`, brings all of it there. mlock(2), mlock2(2).
  ///
  /// - Parameter address: need not be aligned; whole pages are locked.
  /// - Throws: `ENOMEM` when part of the range is not mapped (what lies before is locked) or a page cannot be had,
  ///   `EINVAL` past the end of the address space. There is no limit to what may be locked.
  public func mlock(
    _ address: VirtualAddress, length: UInt64, onFault: Bool = false, by task: inout FaultTask
  ) throws(KernelError) {
    let pages = try Self.coveringPages(address, length, call: "mlock")
    try setLocked(pages, to: onFault ? [.locked, .lockedOnFault] : .locked)
    // What is locked on fault is left alone by that, but some memory cannot be locked.
    guard !pages.isEmpty else { return }
    if !populate(pages, by: &task) { throw KernelError(.ENOMEM, "mlock of a page that ends in a signal") }
  }

  /// munlock(2). Throws as ``mlock(_:length:onFault:by:)`` does.
  public func munlock(_ address: VirtualAddress, length: UInt64) throws(KernelError) {
    try setLocked(try Self.coveringPages(address, length, call: "munlock"), to: [])
  }

  /// Kernel: `apply_vma_lock_flags`.
  private func setLocked(_ pages: Range<UInt64>, to flags: VMAFlags) throws(KernelError) {
    guard !pages.isEmpty else { return }
    lockForChange()
    defer { unlockAfterChange() }
    var next = pages.lowerBound
    while next < pages.upperBound {
      guard let area = areas.area(covering: next) else {
        throw KernelError(.ENOMEM, "locking of a range that is not mapped everywhere")
      }
      let part = next..<min(area.end, pages.upperBound)
      let new = area.flags.subtracting([.locked, .lockedOnFault]).union(flags)
      // A device's pages need no lock to stay. Kernel: `mlock_fixup`.
      if !area.isDirect, new != area.flags {
        try split(at: part.lowerBound)
        try split(at: part.upperBound)
        setFlags(new, ofAreaCovering: part.lowerBound)
        mergeNeighbours(of: part)
      }
      next = part.upperBound
    }
  }

  private static func coveringPages(
    _ address: VirtualAddress, _ length: UInt64, call: String
  ) throws(KernelError) -> Range<UInt64> {
    let (covered, overflow) = length.addingReportingOverflow(address.offsetInPage)
    guard !overflow else { throw KernelError(.EINVAL, "\(call) past the end of the address space") }
    return try pageRange(VirtualAddress(page: address.page), covered, call: call)
  }
}
