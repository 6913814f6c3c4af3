import Faultline

/// An inode as it lies in the table: 256 bytes.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 4 | kind: 0 free, 1 file, 2 directory |
/// | 4 | 4 | CRC-32C of the record, this field as zero |
/// | 8 | 8 | its own number |
/// | 16 | 8 | version, one more with every write |
/// | 24 | 8 | size in bytes |
/// | 32 | 8 | the next inode of the orphan list, 0 for none |
/// | 40 | 8 | a directory's parent |
/// | 48 | 8 | first block of further extents, 0 for none |
/// | 56 | 4 | links |
/// | 60 | 4 | extents |
/// | 64 | 192 | the first twelve extents |
struct InodeRecord {
  enum Kind: UInt32, Sendable {
    case free = 0
    case file = 1
    case directory = 2
  }

  static let byteCount = 256
  static let perBlock = UInt64((RawBlock.byteCount - BlockKind.headerBytes) / byteCount)
  static let inlineExtents = 12
  private static let extentsAt = 64

  var kind: Kind
  var number: UInt64
  var version: UInt64
  var size: UInt64 = 0
  var nextOrphan: UInt64 = 0
  var parent: UInt64 = 0
  var firstExtentBlock: UInt64 = 0
  var links: UInt32 = 0
  var extentCount: UInt32 = 0

  func encode(into at: UnsafeMutableRawPointer, extents: ExtentList) {
    at.initializeMemory(as: UInt8.self, repeating: 0, count: InodeRecord.byteCount)
    at.set(0, kind.rawValue)
    at.set(8, number)
    at.set(16, version)
    at.set(24, size)
    at.set(32, nextOrphan)
    at.set(40, parent)
    at.set(48, firstExtentBlock)
    at.set(56, links)
    at.set(60, extentCount)
    for (index, extent) in extents.items.prefix(InodeRecord.inlineExtents).enumerated() {
      extent.encode(into: at + InodeRecord.extentsAt + index * Extent.byteCount)
    }
    at.set(4, UnsafeRawPointer(at).checksum(count: InodeRecord.byteCount, without: 4))
  }

  /// The record, or `nil` for one that is damaged. A record of zeroes is free.
  static func decode(_ at: UnsafeRawPointer, number: UInt64) -> InodeRecord? {
    let kind = at.number(0, as: UInt32.self)
    if kind == 0, UnsafeRawBufferPointer(start: at, count: byteCount).allSatisfy({ $0 == 0 }) {
      return InodeRecord(kind: .free, number: number, version: 0)
    }
    guard at.number(4, as: UInt32.self) == at.checksum(count: byteCount, without: 4), let kind = Kind(rawValue: kind),
      at.number(8, as: UInt64.self) == number, at.number(16, as: UInt64.self) < 1 << 62
    else { return nil }
    return InodeRecord(
      kind: kind, number: number, version: at.number(16), size: at.number(24), nextOrphan: at.number(32),
      parent: at.number(40), firstExtentBlock: at.number(48), links: at.number(56), extentCount: at.number(60))
  }

  /// The extents in the record itself; who calls has decoded it.
  func inlineExtents(_ at: UnsafeRawPointer) -> [Extent] {
    (0..<min(Int(extentCount), InodeRecord.inlineExtents)).map {
      Extent(decoding: at + InodeRecord.extentsAt + $0 * Extent.byteCount)
    }
  }
}
