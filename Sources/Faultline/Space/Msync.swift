/// The flags of msync(2), with Linux's numbers.
public struct SyncFlags: OptionSet, Hashable, Sendable {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// The writing may start later: nothing is done here.
  public static let async = SyncFlags(rawValue: 1)
  public static let invalidate = SyncFlags(rawValue: 2)
  /// Wait until what was stored is with the file's store.
  public static let sync = SyncFlags(rawValue: 4)
}

extension AddressSpace {
  /// Writes what was stored in shared mappings of a range to the files. msync(2).
  ///
  /// - Throws: `EINVAL` for an unaligned address or flags that contradict each other, `ENOMEM` when part of the range is not
  ///   mapped (the rest is written), `EBUSY` when locked memory should be invalidated, `EIO` when a store refuses.
  public func msync(_ address: VirtualAddress, length: UInt64, _ flags: SyncFlags) throws(KernelError) {
    guard flags.isSubset(of: [.async, .invalidate, .sync]), !flags.isSuperset(of: [.async, .sync]) else {
      throw KernelError(.EINVAL, "msync with flags \(flags.rawValue)")
    }
    let pages = try Self.pageRange(address, length, call: "msync", beyondEnd: .ENOMEM)
    guard !pages.isEmpty else { return }
    let (parts, hasGap, isBusy) = parts(toSync: pages, flags)
    for (file, filePages) in parts {
      // Without the address space's lock: stores are slow, and faults go on meanwhile.
      try file.node.sync(filePages, dataOnly: true)
    }
    if isBusy { throw KernelError(.EBUSY, "msync to invalidate memory that is locked") }
    if hasGap { throw KernelError(.ENOMEM, "msync of a range that is not mapped everywhere") }
  }

  /// The files and their pages that a range shows, up to the first area that may not be invalidated.
  private func parts(
    toSync pages: Range<UInt64>, _ flags: SyncFlags
  ) -> (parts: [(OpenFile, Range<UInt64>)], hasGap: Bool, isBusy: Bool) {
    lock.lockShared()
    defer { lock.unlockShared() }
    var parts: [(OpenFile, Range<UInt64>)] = []
    var isBusy = false
    let hasGap = forEachArea(in: pages) { area in
      if flags.contains(.invalidate), area.flags.contains(.locked) { isBusy = true }
      guard !isBusy, flags.contains(.sync), area.flags.contains(.shared), let file = area.file else { return }
      let part = pages.clamped(to: area.pages)
      let first = area.filePage(of: part.lowerBound)
      parts.append((file, first..<first + UInt64(part.count)))
    }
    return (parts, hasGap, isBusy)
  }
}
