import Faultline

/// The metadata of a device as recovery leaves them: its own blocks, and over them what the log has not brought home.
struct BlockReader {
  let device: any DAXDevice
  /// Blocks of the log that count instead of those at home.
  var replayed: [UInt64: FrozenBlock] = [:]

  init(_ device: any DAXDevice) { self.device = device }

  /// - Throws: `EIO` for a damaged medium, `EUCLEAN` for a number outside the device.
  func read(_ block: UInt64) throws(KernelError) -> UnsafeRawPointer {
    if let frozen = replayed[block] { return frozen.content.readable }
    return try home(block)
  }

  /// The block at its home, whatever the log says.
  func home(_ block: UInt64) throws(KernelError) -> UnsafeRawPointer {
    guard block < device.pageCount else { throw .damaged("block \(block) lies behind the device's end") }
    guard device.firstDamagedPage(in: block..<block + 1) == nil else {
      throw KernelError(.EIO, "block \(block) of the device cannot be read")
    }
    return UnsafeRawPointer(device.bytes + Int(block << PageSize.shift))
  }
}
