import Faultline

/// What a journal holds that is not home.
struct JournalRecovery {
  /// The newest copy of each block.
  private(set) var blocks: [UInt64: FrozenBlock] = [:]
  /// The first transaction that is not there.
  private(set) var next: UInt64

  /// Reads the log from its head to its end, which is the first transaction without a commit record.
  ///
  /// - Throws: `EUCLEAN` when what was committed cannot be had, `EIO`.
  init(_ reader: BlockReader, geometry: Geometry, head: LogHead) throws(KernelError) {
    next = head.sequence
    var position = head.start
    var passed: UInt64 = 0
    while let found = try JournalRecovery.transaction(next, at: position, passed: passed, reader, geometry) {
      for block in found.blocks { blocks[block.number] = block }
      position = (position + found.length) % geometry.logCount
      passed += found.length
      next += 1
    }
    // A commit record that is still to come says that the end is damage and not the end: transactions commit in their order.
    for position in 0..<geometry.logCount {
      let bytes = try reader.home(Geometry.logStart + position)
      if let record = CommitRecord.decode(bytes, position: position), record.transaction >= next {
        throw .damaged("transaction \(next) of the journal is damaged although \(record.transaction) was committed")
      }
    }
  }

  /// The copies of a transaction and the blocks it has in the log, or `nil` when it was not committed.
  private static func transaction(
    _ number: UInt64, at start: UInt64, passed: UInt64, _ reader: BlockReader, _ geometry: Geometry
  ) throws(KernelError) -> (blocks: [FrozenBlock], length: UInt64)? {
    var blocks: [FrozenBlock] = []
    var areGood = true
    var length: UInt64 = 0
    while passed + length < geometry.logCount {
      let position = (start + length) % geometry.logCount
      let bytes = try reader.home(Geometry.logStart + position)
      if let record = CommitRecord.decode(bytes, position: position), record.transaction == number {
        guard areGood, record.copies == blocks.count else {
          throw .damaged("transaction \(number) of the journal was committed and is damaged")
        }
        return (blocks, length + 1)
      }
      guard let tags = JournalDescriptor.decode(bytes, at: position, transaction: number) else { return nil }
      length += 1
      for tag in tags {
        guard passed + length < geometry.logCount else { return nil }
        let copy = try reader.home(Geometry.logStart + (start + length) % geometry.logCount)
        areGood =
          areGood && JournalRecovery.isHome(tag.home, geometry)
          && tag.matches(copy, transaction: number)
        blocks.append(FrozenBlock(number: tag.home, content: RawBlock(copying: copy)))
        length += 1
      }
    }
    return nil
  }

  /// Whether metadata of the log may have their home there: never in superblock, head or log.
  private static func isHome(_ block: UInt64, _ geometry: Geometry) -> Bool {
    block == Geometry.rootBlock || (geometry.bitmapStart..<geometry.superblockCopy).contains(block)
  }
}
