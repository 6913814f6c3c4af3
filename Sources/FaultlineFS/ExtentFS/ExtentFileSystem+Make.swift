import Faultline

extension ExtentFileSystem {
  /// Writes an empty file system over a device. mkfs(8).
  ///
  /// - Parameters:
  ///   - mode: how its metadata become durable.
  ///   - blockCount: pages of the device to use, at least ``Geometry/smallest``; all of them by default.
  ///   - logCount: blocks of the log, at least 24; by default 1/16 of the blocks, at most 1024.
  ///   - inodeCount: the inodes there shall be at least; by default one for 16 blocks, at most 4096.
  /// - Throws: `EINVAL` for numbers that do not fit, `EIO`.
  public static func make(
    on device: any DAXDevice, mode: MetadataMode, blockCount: UInt64? = nil, logCount: UInt64? = nil,
    inodeCount: UInt64? = nil
  ) throws(KernelError) {
    let blocks = blockCount ?? device.pageCount
    guard blocks <= device.pageCount,
      let geometry = Geometry(blockCount: blocks, logCount: logCount, inodeCount: inodeCount, mode: mode)
    else {
      throw KernelError(
        .EINVAL,
        "a file system of \(blocks) blocks with such a log and so many inodes does not fit: the device has "
          + "\(device.pageCount), and \(Geometry.smallest) are the fewest")
    }
    do { try write(geometry, on: device) } catch { throw KernelError(error) }
  }

  private static func write(_ geometry: Geometry, on device: any DAXDevice) throws(DeviceError) {
    // What was there before must not be found again, neither by a mount that finds half of this nor by a recovery.
    let structures = 0..<geometry.data.lowerBound << PageSize.shift
    device.zero(structures)
    try device.persist(structures)

    var allocator = BlockAllocator(geometry)
    for index in allocator.changedBlocks {
      let block = allocator.freeze(index, at: geometry.bitmapStart + UInt64(index), transaction: 0)
      device.write(block.content, at: block.number)
    }
    var inodes = InodeTable(geometry)
    inodes.set(
      InodeRecord(kind: .directory, number: rootInode, version: 0, parent: rootInode, links: 1), extents: ExtentList())
    for block in inodes.freeze(0) { device.write(block.content, at: block.number) }
    let root = RootBlock.encode(firstOrphan: 0, transaction: 0)
    device.write(root.content, at: root.number)
    device.write(Superblock.encode(geometry, at: geometry.superblockCopy), at: geometry.superblockCopy)
    try device.persist(LogHead(generation: 1, state: .clean, start: 0, sequence: 1))
    device.write(Superblock.encode(geometry, at: 0), at: 0)
    try device.fence()
  }
}
