import Faultline

/// The first block, and its copy in the last one. Written by mkfs alone: no crash can tear it.
///
/// After the header: 32 version (4) · 36 mode (4) · 40 blocks (8) · 48 log blocks (8) · 56 inode blocks (8).
enum Superblock {
  static let version: UInt32 = 1

  static func encode(_ geometry: Geometry, at number: UInt64) -> RawBlock {
    let block = RawBlock()
    block.bytes.set(32, version)
    block.bytes.set(36, geometry.mode.rawValue)
    block.bytes.set(40, geometry.blockCount)
    block.bytes.set(48, geometry.logCount)
    block.bytes.set(56, geometry.inodeBlockCount)
    BlockKind.superblock.seal(block.bytes, number: number, transaction: 0, owner: 0)
    return block
  }

  /// - Throws: `EINVAL` for something else than a file system, `EUCLEAN` for a damaged one.
  static func decode(_ bytes: UnsafeRawPointer, at number: UInt64, devicePages: UInt64) throws(KernelError) -> Geometry
  {
    guard bytes.number(0, as: UInt32.self) == BlockKind.superblock.rawValue else {
      throw KernelError(.EINVAL, "no file system of this kind: make one with `faultline fs mkfs`")
    }
    if let complaint = BlockKind.superblock.complaint(about: bytes, number: number) {
      throw .damaged("the superblock \(complaint)")
    }
    guard bytes.number(32, as: UInt32.self) == version, let mode = MetadataMode(rawValue: bytes.number(36)) else {
      throw KernelError(.EINVAL, "a file system of a version that is not known here")
    }
    guard
      let geometry = Geometry(
        blockCount: bytes.number(40), logCount: bytes.number(48), inodeBlockCount: bytes.number(56), mode: mode)
    else { throw .damaged("the superblock's numbers contradict each other") }
    guard geometry.blockCount <= devicePages else {
      throw .damaged("the file system has \(geometry.blockCount) blocks and the device \(devicePages)")
    }
    return geometry
  }
}
