import Faultline

/// A block of extents that an inode's record has no room for; each names the next.
///
/// After the header: 32 next block, 0 for none (8) · 40 extents (4) · 48 the extents, 16 bytes each.
enum ExtentBlock {
  private static let extentsAt = 48
  static let capacity = (RawBlock.byteCount - extentsAt) / Extent.byteCount

  /// Blocks needed for `count` extents behind those of the record.
  static func blocks(forExtents count: Int) -> Int {
    let rest = max(count - InodeRecord.inlineExtents, 0)
    return (rest + capacity - 1) / capacity
  }

  /// The first extent that block `index` of an inode's chain holds; -1 stands for the record itself.
  static func firstExtent(_ index: Int) -> Int { max(InodeRecord.inlineExtents + index * capacity, 0) }

  /// The extents that block `index` holds.
  static func range(_ index: Int, ofExtents count: Int) -> Range<Int> {
    let start = min(firstExtent(index), count)
    return start..<min(start + capacity, count)
  }

  static func encode(
    _ extents: ArraySlice<Extent>, next: UInt64, at number: UInt64, transaction: UInt64, owner: UInt64
  ) -> FrozenBlock {
    let block = RawBlock()
    block.bytes.set(32, next)
    block.bytes.set(40, UInt32(extents.count))
    for (index, extent) in extents.enumerated() {
      extent.encode(into: block.bytes + extentsAt + index * Extent.byteCount)
    }
    BlockKind.extents.seal(block.bytes, number: number, transaction: transaction, owner: owner)
    return FrozenBlock(number: number, content: block)
  }

  /// - Throws: `EUCLEAN`
  static func decode(_ bytes: UnsafeRawPointer, at number: UInt64, owner: UInt64) throws(KernelError)
    -> (extents: [Extent], next: UInt64)
  {
    if let complaint = BlockKind.extents.complaint(about: bytes, number: number, owner: owner) {
      throw .damaged("block \(number) of inode \(owner)'s extents \(complaint)")
    }
    let count = Int(bytes.number(40, as: UInt32.self))
    guard count <= capacity else { throw .damaged("block \(number) says that it holds \(count) extents") }
    return ((0..<count).map { Extent(decoding: bytes + extentsAt + $0 * Extent.byteCount) }, bytes.number(32))
  }
}
