/// What takes blocks away: truncation, holes, and their wait for whoever still uses a page. Kernel:
/// `ext4_break_layouts`, `dax_layout_busy_page_range`.
extension FileNode {
  /// Whether a call that takes blocks away waits until nobody uses them any more, or is refused.
  public enum BusyPages: Sendable, Hashable {
    case wait
    case refuse
  }

  /// Sets the file's size. ftruncate(2).
  ///
  /// - Parameters:
  ///   - size: bytes.
  ///   - busyPages: what to do about pages of a file with DAX that a transfer still uses.
  /// - Throws: `EBUSY` for those; what the file system of a file with DAX refuses: `EFBIG`, `ENOSPC`, `EIO`, `EROFS`;
  ///   `EINVAL` for a device.
  public func resize(to size: UInt64, busyPages: BusyPages = .wait) throws(KernelError) {
    try requireFile("ftruncate")
    if let dax { try dax.resize(to: size, busyPages) } else { truncate(to: size) }
  }
}

extension DirectFile {
  func resize(to size: UInt64, _ busyPages: FileNode.BusyPages) throws(KernelError) {
    try lockToTakeAway(busyPages)
    defer { cache.pointee.contentLock.unlockExclusive() }
    let old = node.size
    // Stores through a mapping may have left something behind the end, which must not show when the file grows over it.
    if size > old, machine.rules.zeroesTailOnGrowth || node.traits.allocation == .extents { try zeroTail(of: old) }
    if size < old, rules.flushesNewEnd, node.traits.allocation == .extents {
      try writeBack(size >> PageSize.shift..<(size >> PageSize.shift) + 1)
    }
    cache.pointee.size.store(size, ordering: .releasing)
    if size < old {
      let gone = PageSize.pages(covering: size)..<UInt64.max
      node.unmap(gone, includingCopies: true)
      removeEntries(in: gone, onlyClean: false)
      node.unmap(gone, includingCopies: true)
    }
    defer { cache.pointee.size.store(file.size, ordering: .releasing) }
    try file.resize(to: size)
  }

  /// Zeroes what lies behind byte `end` in its page, where that has a block.
  func zeroTail(of end: UInt64) throws(KernelError) {
    guard end & (PageSize.bytes - 1) != 0 else { return }
    let first = end & ~(PageSize.bytes - 1)
    let map = try file.map(first..<first + PageSize.bytes, for: .report)
    guard map.kind == .mapped else { return }
    let address = try place(of: map, at: end)
    let tail = address..<address + (first + PageSize.bytes - end)
    device.zero(tail)
    do throws(DeviceError) {
      try device.persist(tail)
    } catch {
      throw KernelError(.EIO, error.message)
    }
  }

  /// Changes the blocks of a range. fallocate(2).
  func change(
    _ change: RangeChange, _ bytes: Range<UInt64>, keepSize: Bool, _ busyPages: FileNode.BusyPages
  ) throws(KernelError) {
    let touched = bytes.lowerBound >> PageSize.shift..<PageSize.pages(covering: bytes.upperBound)
    if change != .allocate, flushesHoles { try writeBack(touched) }
    if change == .allocate, node.traits.allocation == .plain {
      cache.pointee.contentLock.lockExclusive()
    } else {
      try lockToTakeAway(busyPages)
    }
    defer { cache.pointee.contentLock.unlockExclusive() }
    if change != .allocate {
      // A page that the range cuts keeps its entry: what else was stored there is still to be flushed.
      let first = PageSize.pages(covering: bytes.lowerBound)
      removeEntries(in: first..<max(first, bytes.upperBound >> PageSize.shift), onlyClean: false)
    }
    defer { cache.pointee.size.store(file.size, ordering: .releasing) }
    try file.change(change, bytes, keepSize: keepSize)
  }

  private var flushesHoles: Bool {
    switch rules.flushesHoles {
    case .always: true
    case .extents: node.traits.allocation == .extents
    case .never: false
    }
  }

  /// Takes the content lock with nothing of the file mapped and no page of it in use: faults wait for the lock, and who
  /// uses a page has it no longer. Both file systems look at the whole file, also for a small range.
  private func lockToTakeAway(_ busyPages: FileNode.BusyPages) throws(KernelError) {
    while true {
      cache.pointee.contentLock.lockExclusive()
      node.unmap(0..<UInt64.max, includingCopies: false)
      guard let busy = firstBusyFolio() else { return }
      cache.pointee.contentLock.unlockExclusive()
      guard busyPages == .wait else {
        throw KernelError(.EBUSY, "a page of the file is in use by a transfer; try again when it has ended")
      }
      while DevicePageMap.isBusy(busy) { spinHint(on: busy.head.pointee.life) }
    }
  }

  private func firstBusyFolio() -> Folio? {
    withSlots { slots in
      var next: UInt64 = 0
      while let (index, word) = slots.first(from: next, through: .max - 1) {
        let entry = DAXEntry(rawValue: word)
        next = entry.pages(around: index).upperBound
        guard entry.isBlock else { continue }
        let folio = Folio(of: memory.frame(entry.frame))
        if DevicePageMap.isBusy(folio) { return folio }
      }
      return nil
    }
  }
}
