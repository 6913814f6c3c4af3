import Faultline

extension DAXDevice {
  /// Stores a block and begins to write it back.
  func write(_ block: RawBlock, at number: UInt64, flushing: Bool = true) {
    let start = number << PageSize.shift
    store(block.buffer, at: start)
    if flushing { flush(start..<start + PageSize.bytes) }
  }

  /// Stores a record somewhere, durably.
  func persist(_ record: RawBlock, at offset: UInt64) throws(DeviceError) {
    store(record.buffer, at: offset)
    try persist(offset..<offset + UInt64(record.buffer.count))
  }

  func persist(_ head: LogHead) throws(DeviceError) {
    try persist(head.encode(), at: head.offset)
  }
}
