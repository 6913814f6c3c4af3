import Faultline
import FaultlineFS

extension RAMDevice {
  /// A device with the same bytes.
  func copy() throws -> RAMDevice {
    let copy = try RAMDevice(pageCount: pageCount)
    copy.store(UnsafeRawBufferPointer(start: bytes, count: Int(byteCount)), at: 0)
    return copy
  }

  /// Turns the bits of one byte round that `mask` has.
  func flip(_ offset: UInt64, _ mask: UInt8) {
    let value = bytes.load(fromByteOffset: Int(offset), as: UInt8.self) ^ mask
    withUnsafeBytes(of: value) { store($0, at: offset) }
  }

  /// The blocks that have this at their start, outside the log or in it.
  func blocks(_ magic: String, inLog: Bool = false) throws -> [UInt64] {
    let fs = try ExtentFileSystem.mount(self, options: MountOptions(readOnly: true))
    defer { fs.abandon() }
    let log = 3..<3 + fs.geometry.logCount
    let wanted = Array(magic.utf8)
    return (0..<pageCount).filter { block in
      log.contains(block) == inLog
        && wanted.indices.allSatisfy { bytes.load(fromByteOffset: Int(block << 12) + $0, as: UInt8.self) == wanted[$0] }
    }
  }

  func number(_ offset: UInt64) -> UInt64 { bytes.load(fromByteOffset: Int(offset), as: UInt64.self) }
}

/// A small file system with something of everything in it: directories, a file in many pieces, unwritten extents, and an open
/// file without a name.
enum SampleImage {
  static let text = Array("the quick brown fox".utf8)

  /// - Parameter isUnmounted: `false` for one that ended in a power cut.
  static func make(_ mode: MetadataMode, pages: UInt64 = 256, isUnmounted: Bool) throws -> RAMDevice {
    let device = try RAMDevice(pageCount: pages)
    try ExtentFileSystem.make(on: device, mode: mode, inodeCount: 24)
    let fs = try ExtentFileSystem.mount(device)
    try fs.makeDirectory("d")
    try fs.makeDirectory("d/e")
    let gone = try fs.create("gone")
    try gone.write([1, 2, 3], at: 0)
    try fs.unlink("gone")
    let pieces = try fs.create("pieces")
    try pieces.resize(to: 80 << 12)
    for page in stride(from: 0, to: 80, by: 2) as StrideTo<UInt64> { try pieces.write([7], at: page << 12) }
    let text = try fs.create("d/e/text")
    try text.write(Self.text, at: 4090)
    let reserved = try fs.create("d/reserved")
    try reserved.change(.allocate, 0..<9 << 12, keepSize: false)
    for file in [pieces, text, reserved] {
      try file.fsync()
      file.close()
    }
    if isUnmounted { try fs.unmount() } else { fs.abandon() }
    return device
  }
}
