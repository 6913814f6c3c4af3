import Faultline

/// Something that fsck has found wrong. Inode and block numbers are those of the file system.
public enum Finding: Hashable, Sendable, CustomStringConvertible {
  /// It cannot be mounted: the message says which structure is missing or damaged.
  case notMountable(String)
  /// A structure that belongs to no inode is damaged; the rest can be read.
  case damagedStructure(String)
  /// An inode's record, its extents or, of a directory, its entries cannot be read.
  case damagedInode(UInt64, String)
  /// Two inodes have a block, or one has it twice.
  case sharedBlock(UInt64, inode: UInt64)
  /// Blocks that an inode has are free by the bitmap.
  case usedBlocksMarkedFree(Range<UInt64>)
  /// Blocks that nobody has are in use by the bitmap.
  case freeBlocksMarkedUsed(Range<UInt64>)
  /// A directory has a name whose inode is free or damaged.
  case danglingEntry(directory: UInt64, name: String, inode: UInt64)
  /// A directory says that an inode is a file and it is a directory, or the other way round.
  case wrongEntryKind(directory: UInt64, name: String)
  /// A directory can be reached by two names.
  case directoryWithTwoNames(UInt64)
  /// A directory does not know which directory it is in.
  case wrongParent(UInt64)
  /// An inode has so many names and counts so many.
  case wrongLinks(UInt64, names: UInt64, links: UInt64)
  /// An inode is in use, and neither has it a name nor is it on the orphan list.
  case unreachableInode(UInt64)
  /// Written blocks lie behind a file's last page.
  case blocksBehindEnd(UInt64)

  public var description: String {
    switch self {
    case .notMountable(let why): "cannot be mounted: \(why)"
    case .damagedStructure(let what): what
    case .damagedInode(let inode, let why): "inode \(inode): \(why)"
    case .sharedBlock(let block, let inode): "block \(block) of inode \(inode) is somebody's already"
    case .usedBlocksMarkedFree(let blocks): "\(Self.text(blocks)) in use, and free by the bitmap"
    case .freeBlocksMarkedUsed(let blocks): "\(Self.text(blocks)) nobody's, and in use by the bitmap"
    case .danglingEntry(let directory, let name, let inode):
      "\"\(name)\" in directory \(directory) leads to inode \(inode), which is none"
    case .wrongEntryKind(let directory, let name): "\"\(name)\" in directory \(directory) is of another kind"
    case .directoryWithTwoNames(let inode): "directory \(inode) has two names"
    case .wrongParent(let inode): "directory \(inode) says that it is in another directory"
    case .wrongLinks(let inode, let names, let links): "inode \(inode) has \(names) names and counts \(links)"
    case .unreachableInode(let inode): "inode \(inode) is in use and has no name"
    case .blocksBehindEnd(let inode): "inode \(inode) has written blocks behind its end"
    }
  }

  /// Whether a file system without a log may have it after a crash.
  var isMendedAfterCrash: Bool {
    switch self {
    case .danglingEntry, .directoryWithTwoNames, .wrongParent: true
    default: false
    }
  }

  private static func text(_ blocks: Range<UInt64>) -> String {
    blocks.count == 1 ? "block \(blocks.lowerBound) is" : "blocks \(blocks.lowerBound) to \(blocks.upperBound - 1) are"
  }
}
