import Faultline

extension DAXDevice {
  /// Stores a block and begins to write it back.
  func write(_ block: RawBlock, at number: UInt64, flushing: Bool = true) {
    let start = number << PageSize.shift
    store(block.buffer, at: start)
    if flushing { flush(start..<start + PageSize.bytes) }
  }

  /// Stores the first bytes of a block somewhere, durably.
  func persist(_ block: RawBlock, first count: Int, at offset: UInt64) throws(DeviceError) {
    store(UnsafeRawBufferPointer(rebasing: block.buffer[..<count]), at: offset)
    try persist(offset..<offset + UInt64(count))
  }

  func persist(_ head: LogHead) throws(DeviceError) {
    try persist(head.encode(), first: LogHead.recordBytes, at: head.offset)
  }
}
