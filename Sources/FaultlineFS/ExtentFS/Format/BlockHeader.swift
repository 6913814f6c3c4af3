import Faultline

/// What every block of metadata begins with: 32 bytes that say what it is, whose, and whether it is whole.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 4 | magic, by kind |
/// | 4 | 4 | CRC-32C of the block, this field as zero |
/// | 8 | 8 | the block's own number on the device |
/// | 16 | 8 | transaction that wrote it |
/// | 24 | 8 | inode that owns it, 0 for the file system itself |
enum BlockKind: UInt32, Sendable {
  case superblock = 0x5346_4c46  // "FLFS"
  case root = 0x5452_4c46  // "FLRT"
  case bitmap = 0x4d42_4c46  // "FLBM"
  case inodes = 0x4e49_4c46  // "FLIN"
  case extents = 0x5845_4c46  // "FLEX"
  case directory = 0x4944_4c46  // "FLDI"
  case descriptor = 0x5344_4c46  // "FLDS"

  static let headerBytes = 32

  /// Completes a block that is otherwise ready: nothing of it may change afterwards.
  func seal(_ bytes: UnsafeMutableRawPointer, number: UInt64, transaction: UInt64, owner: UInt64) {
    bytes.set(0, rawValue)
    bytes.set(8, number)
    bytes.set(16, transaction)
    bytes.set(24, owner)
    bytes.set(4, UnsafeRawPointer(bytes).checksum(count: RawBlock.byteCount, without: 4))
  }

  /// The checksum that a block of any kind says it has.
  static func checksum(_ bytes: UnsafeRawPointer) -> UInt32 { bytes.number(4) }

  /// What is wrong with a block that should be of this kind, or `nil`.
  func complaint(about bytes: UnsafeRawPointer, number: UInt64, owner: UInt64? = nil) -> String? {
    guard bytes.number(0, as: UInt32.self) == rawValue else { return "is no \(self) block" }
    guard bytes.number(4, as: UInt32.self) == bytes.checksum(count: RawBlock.byteCount, without: 4) else {
      return "has a wrong checksum"
    }
    guard bytes.number(8, as: UInt64.self) == number else { return "was written for another place" }
    if let owner, bytes.number(24, as: UInt64.self) != owner { return "belongs to another inode" }
    return nil
  }
}

extension Errno {
  /// The structure on the device is damaged. Kernel: `EFSCORRUPTED`.
  public static let EUCLEAN = Errno(code: 117, name: "EUCLEAN")
}

extension KernelError {
  static func damaged(_ what: String) -> KernelError {
    KernelError(.EUCLEAN, "\(what); look at it with `faultline fs fsck`")
  }

  init(_ error: DeviceError) { self.init(.EIO, "the device failed: \(error.message)") }
}
