import Faultline

/// What has changed in memory and is in no frozen block yet.
struct PendingChanges {
  /// Files whose records have changed; also those that were deleted.
  var files: [UInt64: ExtentFile] = [:]
  var orphanHead = false
  /// Blocks beyond one for each file, about.
  var moreBlocks = 0

  var isEmpty: Bool { files.isEmpty && !orphanHead }
  /// Blocks that freezing them will make, about.
  var estimate: Int { files.count + moreBlocks }

  mutating func insert(_ file: ExtentFile) { files[file.inode] = file }
}

extension ExtentFileSystem {
  /// Turns everything that has changed into blocks, in the order of their numbers. Called without an open handle.
  ///
  /// - Returns: the blocks, and the files whose they are.
  func freeze(_ transaction: UInt64) -> (blocks: [FrozenBlock], files: [ExtentFile]) {
    var blocks: [FrozenBlock] = []
    let files = changes.files.keys.sorted().compactMap { changes.files[$0] }
    if changes.orphanHead { blocks.append(RootBlock.encode(firstOrphan: orphans.first ?? 0, transaction: transaction)) }
    for index in allocator.changedBlocks {
      blocks.append(allocator.freeze(index, at: geometry.bitmapStart + UInt64(index), transaction: transaction))
    }
    for file in files { file.freeze(into: &blocks, transaction: transaction) }
    blocks += inodes.freeze(transaction)
    changes = PendingChanges()
    return (blocks.sorted { $0.number < $1.number }, files)
  }

  /// Adds a file to what the log has to make durable.
  func noteChange(_ file: ExtentFile, dataRelevant: Bool) {
    changes.insert(file)
    log.changed(file, dataRelevant: dataRelevant)
  }

  /// Blocks that a file had are given up inside the open handle.
  func giveUp(_ blocks: Range<UInt64>, of file: ExtentFile, wasMetadata: Bool) {
    guard !blocks.isEmpty else { return }
    allocator.giveUp(blocks)
    #if DEBUG || ModelCheck
      if bugs.has(.reusesFreedBlocksEarly) { return allocator.release(blocks) }
    #endif
    log.gaveUp(blocks, of: file, wasMetadata: wasMetadata)
  }

  /// Blocks of extents that an inode may have.
  var largestChain: Int { Int(geometry.mode == .inPlace ? min(geometry.logCount / 8, 16) : geometry.logCount / 8) }

  /// Blocks that may be allocated for something new. Without a log, writing an inode takes new blocks before it gives back the old ones:
  /// those of its extents and the pages of a directory that one change of names touches.
  var unreservedCount: UInt64 {
    let reserved = geometry.mode == .inPlace ? UInt64(largestChain) + 4 : 0
    return allocator.freeCount > reserved ? allocator.freeCount - reserved : 0
  }

  /// A block for metadata.
  func allocateMetadata() throws(KernelError) -> UInt64 {
    guard let run = allocator.find(1, for: 0, goal: nil) else {
      throw KernelError(.ENOSPC, "no block is free for metadata")
    }
    allocator.take(run)
    return run.lowerBound
  }
}

/// What belongs to the file system itself and changes: the head of the orphan list.
///
/// After the header: 32 first inode of the orphan list, 0 for none (8).
enum RootBlock {
  static func encode(firstOrphan: UInt64, transaction: UInt64) -> FrozenBlock {
    let block = RawBlock()
    block.bytes.set(32, firstOrphan)
    BlockKind.root.seal(block.bytes, number: Geometry.rootBlock, transaction: transaction, owner: 0)
    return FrozenBlock(number: Geometry.rootBlock, content: block)
  }
}
