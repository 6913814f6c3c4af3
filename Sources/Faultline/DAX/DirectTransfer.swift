/// read(2) and write(2) on a file with DAX: straight between the caller's bytes and the device. Kernel: `dax_iomap_rw`.
extension DirectFile {
  /// Hands out the bytes of a range, extent by extent, until `body` takes fewer than it gets.
  ///
  /// - Returns: the bytes that were taken: fewer than `count` at the file's end, or where the medium is damaged.
  /// - Throws: `EIO` when the first byte cannot be read.
  func read(
    at offset: UInt64, count: UInt64, _ body: (_ offset: UInt64, _ length: UInt64, _ bytes: UnsafeRawPointer?) -> Int
  ) throws(KernelError) -> UInt64 {
    cache.pointee.contentLock.lockShared()
    var isLocked = true
    defer { if isLocked { cache.pointee.contentLock.unlockShared() } }
    let end = min(offset &+ min(count, .max - offset), node.size)
    var position = offset
    while position < end {
      let pageEnd = min(end, ((position >> PageSize.shift) + 1) << PageSize.shift)
      let piece: UnsafeRawPointer?
      do throws(KernelError) {
        piece = try bytes(at: position)
      } catch {
        guard position > offset else { throw error }
        break
      }
      let zeroes = piece == nil ? memory.contents(of: memory.frame(machine.zeroFrame)) : nil
      let source = piece ?? zeroes.map { UnsafeRawPointer($0) + Int(position & (PageSize.bytes - 1)) }
      // The caller's memory may be this very file: its fault takes the lock that is held here.
      cache.pointee.contentLock.unlockShared()
      isLocked = false
      let taken = body(position - offset, pageEnd - position, source)
      cache.pointee.contentLock.lockShared()
      isLocked = true
      position += UInt64(taken)
      if position < pageEnd { break }
    }
    return position - offset
  }

  /// Where a byte of the file lies; `nil` in a hole.
  private func bytes(at position: UInt64) throws(KernelError) -> UnsafeRawPointer? {
    let page = position & ~(PageSize.bytes - 1)
    let map = try file.map(page..<page + PageSize.bytes, for: [])
    guard map.kind == .mapped else { return nil }
    let address = try place(of: map, at: position)
    return UnsafeRawPointer(device.bytes + Int(address))
  }

  /// The device's byte behind a byte of the file.
  func place(of map: IOMap, at position: UInt64) throws(KernelError) -> UInt64 {
    let (address, overflow) = map.address.addingReportingOverflow(position &- map.range.lowerBound)
    guard map.range.contains(position), !overflow, address < device.byteCount else {
      throw KernelError(.EIO, "blocks of a file lie behind the end of its device")
    }
    let page = address >> PageSize.shift
    guard device.firstDamagedPage(in: page..<page + 1) == nil else {
      throw KernelError(.EIO, "the medium under byte \(position) of the file is damaged")
    }
    return address
  }

  /// Writes bytes and makes them durable; the file grows where needed.
  ///
  /// - Throws: `ENOSPC`, `EIO`, `EROFS`.
  func write(at offset: UInt64, _ bytes: UnsafeRawBufferPointer) throws(KernelError) {
    guard !bytes.isEmpty else { return }
    let end = offset + UInt64(bytes.count)
    cache.pointee.contentLock.lockExclusive()
    defer { cache.pointee.contentLock.unlockExclusive() }
    let old = file.size
    if end > old {
      if machine.rules.zeroesTailOnGrowth || node.traits.allocation == .extents { try zeroTail(of: old) }
      try grow(to: end)
    }
    do throws(KernelError) {
      try store(bytes, at: offset)
    } catch {
      if end > old { try? grow(to: old) }
      throw error
    }
  }

  private func grow(to size: UInt64) throws(KernelError) {
    defer { cache.pointee.size.store(file.size, ordering: .releasing) }
    try file.resize(to: size)
  }

  private func store(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(KernelError) {
    var position = offset
    let end = offset + UInt64(bytes.count)
    while position < end {
      try file.beginHandle()
      defer { file.endHandle() }
      let map = try file.map(position..<end, for: .write)
      let length =
        map.kind == .mapped && map.range.upperBound > position ? min(end, map.range.upperBound) - position : 0
      guard length > 0 else { throw KernelError(.EIO, "the file system has no blocks for a write") }
      let address = try place(of: map, at: position)
      guard length <= device.byteCount - address else {
        throw KernelError(.EIO, "blocks of a file lie behind the end of its device")
      }
      let piece = UnsafeRawBufferPointer(rebasing: bytes[Int(position - offset)..<Int(position - offset + length)])
      // Zeroes that are shown for what was a hole must go, or a mapping would never see what is written.
      // The hole may have been filled before, for the sake of a neighbour.
      if map.flags.contains(.new) || showsZeroes(position..<position + length) {
        leaveZeroes(position..<position + length)
      }
      device.store(piece, at: address)
      do throws(DeviceError) {
        try device.persist(address..<address + length)
      } catch {
        throw KernelError(.EIO, error.message)
      }
      try file.endMap(map, for: .write, written: length)
      position += length
    }
  }

  private func showsZeroes(_ bytes: Range<UInt64>) -> Bool {
    let pages = bytes.lowerBound >> PageSize.shift..<PageSize.pages(covering: bytes.upperBound)
    return withSlots { slots in
      var next = pages.lowerBound
      while next < pages.upperBound, let (index, word) = slots.first(from: next, through: pages.upperBound - 1) {
        let entry = DAXEntry(rawValue: word)
        if entry.isZero { return true }
        next = entry.pages(around: index).upperBound
      }
      return false
    }
  }

  /// Kernel: `invalidate_inode_pages2_range`.
  private func leaveZeroes(_ bytes: Range<UInt64>) {
    let pages = bytes.lowerBound >> PageSize.shift..<PageSize.pages(covering: bytes.upperBound)
    node.unmap(pages, includingCopies: false)
    removeEntries(in: pages, onlyClean: true)
  }
}
