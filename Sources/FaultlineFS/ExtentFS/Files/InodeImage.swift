import Faultline

/// An inode with all of its extents, read and checked.
struct InodeImage {
  let record: InodeRecord
  let extents: ExtentList
  let extentBlocks: [UInt64]

  /// - Throws: `EUCLEAN`, `EIO`.
  init(_ record: InodeRecord, inline: [Extent], reader: BlockReader, geometry: Geometry) throws(KernelError) {
    let number = record.number
    guard record.size <= FileLimit.bytes else { throw .damaged("inode \(number) is larger than a file can be") }
    var items = inline
    var blocks: [UInt64] = []
    var next = record.firstExtentBlock
    while next != 0 {
      guard geometry.data.contains(next), UInt64(blocks.count) < geometry.logCount, blocks.count <= items.count else {
        throw .damaged("inode \(number)'s extents never end or lie outside the file system")
      }
      let part = try ExtentBlock.decode(reader.read(next), at: next, owner: number)
      items += part.extents
      blocks.append(next)
      next = part.next
    }
    guard items.count == Int(record.extentCount), let extents = ExtentList(checking: items, within: geometry.data)
    else {
      throw .damaged("inode \(number)'s extents contradict each other")
    }
    self.record = record
    self.extents = extents
    extentBlocks = blocks
  }
}
