/// File reads whose other side is a program's memory, and reads and writes past the cache.
extension AddressSpace {
  /// Reads a file into the program's memory. pread(2). Kernel: `filemap_read`, `copy_folio_to_iter`.
  ///
  /// - Parameters:
  ///   - offset, count: bytes.
  /// - Returns: the bytes read: fewer than `count` at the file's end, and where the memory cannot be written further
  ///   on.
  /// - Throws: `EBADF`, `EIO` as ``OpenFile/read(at:count:_:)``; `EFAULT` when the first byte cannot be stored.
  public func read(
    _ file: OpenFile, at offset: UInt64, count: UInt64, into address: VirtualAddress, by task: inout FaultTask
  ) throws(KernelError) -> UInt64 {
    var done: UInt64 = 0
    var failed = false
    try file.readPieces(at: offset, count: count) { position, length, bytes in
      guard let place = address.advanced(by: Int(clamping: position)) else {
        failed = true
        return 0
      }
      let piece = UnsafeRawBufferPointer(start: bytes ?? Self.nothing, count: Int(length))
      let copied = copyToUser(place, piece, by: &task)
      done += UInt64(copied)
      failed = copied < piece.count
      return copied
    }
    if failed, done == 0 { throw KernelError(.EFAULT, "a read into memory that cannot be written") }
    return done
  }

  /// Reads a file into the program's memory past the cache, through a descriptor opened with O_DIRECT. A file system
  /// that cannot do this reads through the cache. Kernel: `iomap_dio_rw`.
  ///
  /// - Throws: `EINVAL` when offset, length or address is not a multiple of 512; `EFAULT` when a page cannot be had;
  ///   `EIO`.
  public func readDirect(
    _ file: OpenFile, at offset: UInt64, count: UInt64, into address: VirtualAddress, by task: inout FaultTask
  ) throws(KernelError) -> UInt64 {
    let node = file.node
    guard node.traits.bypassesCache else { return try read(file, at: offset, count: count, into: address, by: &task) }
    guard file.isReadable else { throw KernelError(.EBADF, "a read from a descriptor that cannot read") }
    try Self.checkAlignment(offset, count, address)
    let size = node.size
    guard offset < size else { return 0 }
    let length = min(count, size - offset)
    try node.settle(offset..<offset + length)
    // What is asked for behind the end is stored as zeroes, though it does not count as read. Kernel: `iomap_dio_hole_iter`.
    try transfer(count: count, at: address, .write, by: &task) { done, bytes throws(StoreError) in
      try node.readStore(at: offset + done, into: bytes)
    }
    return length
  }

  /// Writes the program's memory to a file past the cache, through a descriptor opened with O_DIRECT. What the cache
  /// has of the range is written back first and dropped. A file system that cannot do this writes through the cache.
  ///
  /// - Throws: as ``readDirect(_:at:count:into:by:)``.
  public func writeDirect(
    _ file: OpenFile, at offset: UInt64, count: UInt64, from address: VirtualAddress, by task: inout FaultTask
  ) throws(KernelError) -> UInt64 {
    let node = file.node
    guard node.traits.bypassesCache else { return try write(file, at: offset, count: count, from: address, by: &task) }
    guard file.isWritable else { throw KernelError(.EBADF, "a write to a descriptor that cannot write") }
    try Self.checkAlignment(offset, count, address)
    let (end, overflow) = offset.addingReportingOverflow(count)
    guard !overflow, end <= UInt64(Int64.max) else { throw KernelError(.EFBIG, "a write past the largest file offset") }
    guard count > 0 else { return 0 }
    try node.settle(offset..<end)
    node.leaveCache(offset..<end)
    try transfer(count: count, at: address, by: &task) { done, bytes throws(StoreError) in
      try node.writeStore(at: offset + done, UnsafeRawBufferPointer(bytes))
    }
    node.grow(to: end)
    // Taking the pages may have brought back some of the range, if they show this very file. Kernel:
    // `kiocb_invalidate_post_direct_write`.
    node.leaveCache(offset..<end)
    return count
  }

  /// Takes the pages of a range and hands their bytes to `body`; the first store that fails ends it.
  private func transfer(
    count: UInt64, at address: VirtualAddress, _ flags: PinFlags = [], by task: inout FaultTask,
    _ body: (_ done: UInt64, _ bytes: UnsafeMutableRawBufferPointer) throws(StoreError) -> Void
  ) throws(KernelError) {
    var failure: StoreError?
    let kind = machine.rules.directAccessPins ? HoldKind.pin : .reference
    let done = throughPages(address, count: Int(count), kind, flags.union(.unlockable), piece: 256, by: &task) {
      position, bytes in
      guard failure == nil else { return }
      do throws(StoreError) { try body(UInt64(position), bytes) } catch { failure = error }
    }
    guard done == count else { throw KernelError(.EFAULT, "direct access to memory that cannot be had") }
    if let failure { throw KernelError(.EIO, failure.message) }
  }

  private static func checkAlignment(
    _ offset: UInt64, _ count: UInt64, _ address: VirtualAddress
  ) throws(KernelError) {
    guard (offset | count | address.rawValue) & 511 == 0, count <= UInt64(Int64.max) else {
      throw KernelError(.EINVAL, "direct access whose offset, length or address is not a multiple of 512")
    }
  }

  /// Where a piece without contents is copied from: nothing is read there, for its pages have none either.
  private static var nothing: UnsafeRawPointer { UnsafeRawPointer(bitPattern: 8).unsafelyUnwrapped }
}
