/// What fallocate(2) may do to a range of a file.
public enum RangeChange: Sendable, Hashable {
  /// Room for it is set aside; what was never written reads as zero.
  case allocate
  /// It is given back and reads as zero. FALLOC_FL_PUNCH_HOLE.
  case punchHole
  /// It reads as zero and keeps its room. FALLOC_FL_ZERO_RANGE; not on files that live in memory.
  case zeroRange
}

extension OpenFile {
  /// Changes a range of the file. fallocate(2). Kernel: `vfs_fallocate`.
  ///
  /// - Parameters:
  ///   - offset, length: bytes.
  ///   - keepSize: whether a range that ends behind the file's end leaves the size alone. A hole always does.
  /// - Throws: `EINVAL` for no bytes, `EBADF` without write permission, `EFBIG` past the largest file offset,
  ///   `EOPNOTSUPP`, `ENODEV` for a device.
  public func change(
    _ change: RangeChange, offset: UInt64, length: UInt64, keepSize: Bool = false
  ) throws(KernelError) {
    let largest = UInt64(Int64.max)
    guard offset <= largest, length > 0, length <= largest else {
      throw KernelError(.EINVAL, "fallocate of no bytes or with negative numbers")
    }
    guard isWritable else { throw KernelError(.EBADF, "fallocate through a descriptor that cannot write") }
    guard offset + length <= largest else { throw KernelError(.EFBIG, "fallocate past the largest file offset") }
    try node.requireFile("fallocate", else: .ENODEV)
    guard change != .zeroRange || !node.traits.isMemoryOnly else {
      throw KernelError(.EOPNOTSUPP, "FALLOC_FL_ZERO_RANGE on a file that lives in memory")
    }
    if let dax = node.dax {
      return try dax.change(change, offset..<offset + length, keepSize: keepSize || change == .punchHole, .wait)
    }
    // Room on a device has no meaning to the engine: a page that was never written is a hole, whoever owns the blocks under it.
    switch change {
    case .allocate: break
    case .punchHole: node.punchHole(offset..<offset + length)
    case .zeroRange: node.zeroRange(offset..<offset + length)
    }
    if change == .allocate, node.traits.isMemoryOnly {
      try node.setAside(offset >> PageSize.shift..<PageSize.pages(covering: offset + length))
    }
    if change != .punchHole, !keepSize, offset + length > node.size { node.truncate(to: offset + length) }
  }
}

extension FileNode {
  /// Gives every page of a range of a file in memory a frame, which counts as dirty, so that nothing takes it away. A
  /// new one is not up to date: it reads as a hole until somebody touches it, or sets it aside a second time. Pages may
  /// lie behind the file's end. Kernel: `shmem_fallocate`.
  ///
  /// - Throws: `ENOSPC`; then nothing is set aside.
  fileprivate func setAside(_ pages: Range<UInt64>) throws(KernelError) {
    cache.pointee.contentLock.lockShared()
    defer { cache.pointee.contentLock.unlockShared() }
    guard UInt64(pages.count) <= machine.memory.frameCount &- machine.memory.usedFrames else {
      throw Self.noRoom(pages)
    }
    var made: [UInt64] = []
    var index = pages.lowerBound
    while index < pages.upperBound {
      guard let reference = lookUp(index) else {
        guard let reference = fillHole(at: index, isUptodate: false) else { return try giveUp(made, of: pages) }
        if !reference.folio.contains(.uptodate) { made.append(reference.folio.index) }
        continue
      }
      let folio = reference.folio
      folio.lock()
      defer { folio.unlock() }
      guard folio.lies(in: cache) else { continue }
      if made.last != folio.index { folio.insert(.uptodate) }
      markDirty(folio)
      index = folio.endIndex
    }
  }

  private func giveUp(_ made: [UInt64], of pages: Range<UInt64>) throws(KernelError) {
    for index in made {
      guard let reference = lookUp(index), reference.folio.tryLock() else { continue }
      defer { reference.folio.unlock() }
      guard reference.folio.lies(in: cache), !reference.folio.contains(.uptodate) else { continue }
      reference.folio.remove(.dirty)
      remove(reference.folio)
    }
    throw Self.noRoom(pages)
  }

  private static func noRoom(_ pages: Range<UInt64>) -> KernelError {
    KernelError(.ENOSPC, "no memory for \(pages.count) pages")
  }
}
