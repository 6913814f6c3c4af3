import Faultline

/// How metadata become durable. Chosen when a file system is made.
public enum MetadataMode: UInt32, CaseIterable, Sendable {
  /// A journal of whole blocks, home writes afterwards: ext4 with jbd2.
  case orderedJournal = 1
  /// A log of changed items that pins them in memory until it is durable: xfs.
  case pinnedLog = 2
  /// No log: an inode's metadata are written in place by its fsync, and a crash is left to repair: ext4 without a journal.
  case inPlace = 3

  /// As commands and reports call it.
  public var name: String {
    switch self {
    case .orderedJournal: "journal"
    case .pinnedLog: "log"
    case .inPlace: "none"
    }
  }
}

/// Where the parts of a file system lie, all of it derived from five numbers. Blocks are pages of 4096 bytes.
///
/// superblock · log head · root · log · bitmap · inode table · data · copy of the superblock
public struct Geometry: Hashable, Sendable {
  /// Blocks of the file system, at least ``smallest``.
  public let blockCount: UInt64
  /// Blocks of the log.
  public let logCount: UInt64
  /// Blocks of the inode table.
  public let inodeBlockCount: UInt64
  public let mode: MetadataMode

  /// The fewest blocks that a file system fits in.
  public static let smallest: UInt64 = 64
  /// Bits in one block of the bitmap.
  static let bitsPerBitmapBlock = UInt64(RawBlock.byteCount - BlockKind.headerBytes) * 8
  static let logHeadBlock: UInt64 = 1
  static let rootBlock: UInt64 = 2
  static let logStart: UInt64 = 3

  /// The layout of a file system of `blockCount` blocks with room for at least `inodeCount` inodes, or `nil` when it does not fit.
  init?(blockCount: UInt64, logCount: UInt64?, inodeCount: UInt64?, mode: MetadataMode) {
    guard blockCount >= Geometry.smallest, blockCount <= 1 << 40 else { return nil }
    let bitmap = (blockCount + Geometry.bitsPerBitmapBlock - 1) / Geometry.bitsPerBitmapBlock
    let perBlock = Geometry.inodesPerBlock(mode)
    let inodes = inodeCount ?? min(max(blockCount / 16, 16), 4096)
    guard inodes > 0, inodes <= 1 << 32 else { return nil }
    self.init(
      blockCount: blockCount,
      logCount: logCount ?? max(min(max(blockCount / 16, 24), 1024), bitmap * 8),
      inodeBlockCount: (inodes + perBlock - 1) / perBlock, mode: mode)
  }

  /// The layout with exactly these numbers, as a superblock has them, or `nil` when they do not fit.
  init?(blockCount: UInt64, logCount: UInt64, inodeBlockCount: UInt64, mode: MetadataMode) {
    guard blockCount >= Geometry.smallest, blockCount <= 1 << 40, logCount >= 24, logCount < blockCount,
      inodeBlockCount > 0, inodeBlockCount < blockCount
    else { return nil }
    self.blockCount = blockCount
    self.logCount = logCount
    self.inodeBlockCount = inodeBlockCount
    self.mode = mode
    guard dataStart + 2 < blockCount, logCount >= bitmapCount * 8 else { return nil }
  }

  var bitmapStart: UInt64 { Geometry.logStart + logCount }
  var bitmapCount: UInt64 { (blockCount + Geometry.bitsPerBitmapBlock - 1) / Geometry.bitsPerBitmapBlock }
  var inodeStart: UInt64 { bitmapStart + bitmapCount }
  /// The blocks that files, directories and extents may have.
  var data: Range<UInt64> { dataStart..<blockCount - 1 }
  private var dataStart: UInt64 { inodeStart + inodeBlockCount }
  var superblockCopy: UInt64 { blockCount - 1 }

  /// Inodes of the table; their numbers begin with 1.
  public var inodeCount: UInt64 { inodeBlockCount * Geometry.inodesPerBlock(mode) }

  /// The bytes that tell where the log begins: every mount changes them.
  package static let logHeadBytes = logHeadBlock << PageSize.shift..<(logHeadBlock + 1) << PageSize.shift

  /// The layout that mkfs chooses for a whole device.
  package init?(deviceOf blockCount: UInt64, mode: MetadataMode) {
    self.init(blockCount: blockCount, logCount: nil, inodeCount: nil, mode: mode)
  }

  /// What a block belongs to, for a person.
  package func part(of block: UInt64) -> String {
    switch block {
    case 0, superblockCopy: "superblock"
    case Geometry.logHeadBlock: "log head"
    case Geometry.rootBlock: "root block"
    case ..<bitmapStart: "log"
    case ..<inodeStart: "bitmap"
    case ..<data.lowerBound: "inode table"
    default: "block \(block)"
    }
  }

  /// Without a log each inode has two records that take turns, so that a torn one leaves the other.
  static func recordsPerInode(_ mode: MetadataMode) -> UInt64 { mode == .inPlace ? 2 : 1 }
  static func inodesPerBlock(_ mode: MetadataMode) -> UInt64 { InodeRecord.perBlock / recordsPerInode(mode) }

  /// Where in the table, counted in bytes from its start, the record of an inode lies.
  func recordOffset(_ inode: UInt64, copy: UInt64 = 0) -> Int {
    let perBlock = Geometry.inodesPerBlock(mode)
    let (block, slot) = (inode - 1).quotientAndRemainder(dividingBy: perBlock)
    let record = slot * Geometry.recordsPerInode(mode) + copy
    return Int(block) * RawBlock.byteCount + BlockKind.headerBytes + Int(record) * InodeRecord.byteCount
  }
}
