import Faultline

/// The inode table in memory, as it was frozen last, and which inodes are free.
struct InodeTable {
  private let geometry: Geometry
  private var blocks: [RawBlock]
  private var isChanged: [Bool]
  private var isFree: [Bool]
  private var firstFree = 0
  private(set) var freeCount: UInt64 = 0

  /// A table of free inodes, all of it to be written.
  init(_ geometry: Geometry) {
    self.geometry = geometry
    blocks = (0..<geometry.inodeBlockCount).map { _ in RawBlock() }
    isChanged = Array(repeating: true, count: Int(geometry.inodeBlockCount))
    isFree = Array(repeating: true, count: Int(geometry.inodeCount))
    freeCount = geometry.inodeCount
  }

  /// Takes over the block with this index of the table. Damaged records count as in use. Returns a complaint about the block.
  mutating func load(_ bytes: UnsafeRawPointer, index: Int) -> String? {
    blocks[index].bytes.copyMemory(from: bytes, byteCount: RawBlock.byteCount)
    isChanged[index] = false
    let perBlock = Int(Geometry.inodesPerBlock(geometry.mode))
    for slot in index * perBlock..<(index + 1) * perBlock {
      if record(UInt64(slot) + 1)?.kind != .free { setUsed(slot) }
    }
    return BlockKind.inodes.complaint(about: bytes, number: geometry.inodeStart + UInt64(index), owner: 0)
  }

  /// Lets a block be written again although no record in it has changed.
  mutating func markChanged(_ index: Int) { isChanged[index] = true }

  /// Where an inode's record lies in memory.
  private func place(_ inode: UInt64, copy: UInt64 = 0) -> UnsafeMutableRawPointer {
    let (block, offset) = geometry.recordOffset(inode, copy: copy).quotientAndRemainder(dividingBy: RawBlock.byteCount)
    return blocks[block].bytes + offset
  }

  /// The newest whole record of an inode.
  func record(_ inode: UInt64) -> InodeRecord? { newest(inode)?.record }

  private func newest(_ inode: UInt64) -> (record: InodeRecord, copy: UInt64)? {
    var best: (record: InodeRecord, copy: UInt64)?
    for copy in 0..<Geometry.recordsPerInode(geometry.mode) {
      guard let record = InodeRecord.decode(place(inode, copy: copy), number: inode) else { continue }
      if best == nil || record.version > best!.record.version { best = (record, copy) }
    }
    return best
  }

  /// The extents in the newest record itself.
  func inlineExtents(_ inode: UInt64) -> [Extent] {
    guard let (record, copy) = newest(inode) else { return [] }
    return record.inlineExtents(place(inode, copy: copy))
  }

  /// The bytes of the newest record and where they belong on the device.
  func newestRecord(_ inode: UInt64) -> (bytes: UnsafeRawBufferPointer, offset: UInt64) {
    let copy = newest(inode)?.copy ?? 0
    let offset = geometry.inodeStart << PageSize.shift + UInt64(geometry.recordOffset(inode, copy: copy))
    return (UnsafeRawBufferPointer(start: place(inode, copy: copy), count: InodeRecord.byteCount), offset)
  }

  /// Puts a record in its place, beside the newest one where there are two.
  mutating func set(_ record: InodeRecord, extents: ExtentList) {
    let copies = Geometry.recordsPerInode(geometry.mode)
    record.encode(into: place(record.number, copy: record.version % copies), extents: extents)
    isChanged[geometry.recordOffset(record.number) / RawBlock.byteCount] = true
  }

  mutating func freeze(_ transaction: UInt64) -> [FrozenBlock] {
    var frozen: [FrozenBlock] = []
    for index in isChanged.indices where isChanged[index] {
      let number = geometry.inodeStart + UInt64(index)
      BlockKind.inodes.seal(blocks[index].bytes, number: number, transaction: transaction, owner: 0)
      frozen.append(FrozenBlock(number: number, content: RawBlock(copying: blocks[index].readable)))
      isChanged[index] = false
    }
    return frozen
  }

  // MARK: free inodes

  /// The lowest free inode, which is in use from now on.
  mutating func take() -> UInt64? {
    while firstFree < isFree.count, !isFree[firstFree] { firstFree += 1 }
    guard firstFree < isFree.count else { return nil }
    setUsed(firstFree)
    return UInt64(firstFree) + 1
  }

  mutating func putBack(_ inode: UInt64) {
    let slot = Int(inode) - 1
    guard !isFree[slot] else { return }
    isFree[slot] = true
    freeCount += 1
    firstFree = min(firstFree, slot)
  }

  private mutating func setUsed(_ slot: Int) {
    guard isFree[slot] else { return }
    isFree[slot] = false
    freeCount -= 1
  }
}
