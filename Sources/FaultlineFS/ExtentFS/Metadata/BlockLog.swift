import Faultline

/// The log on the device, as a ring: whole transactions of block copies, and where each block's newest copy waits to go home.
///
/// * Copies first, flushed; then the commit record, flushed; only then is the transaction committed.
/// * Log first, home later, tail last: where the log is short of room, what only the oldest transactions hold goes home, and only when
///   it is durable there does the log's head move past them. A block that was logged again later is not theirs any more.
///
/// One thread at a time: who commits.
struct BlockLog {
  private struct Record {
    let transaction: UInt64
    let start: UInt64
    let length: UInt64
  }

  private let device: any DAXDevice
  private let count: UInt64
  private var head: LogHead
  /// Where the next transaction goes.
  private var position: UInt64 = 0
  /// What lies between the head and there, oldest first.
  private var records: [Record] = []
  /// Blocks of the log that they take.
  private var inUse: UInt64 = 0
  /// The newest committed copy of each block that is not home yet, and its transaction.
  private var waiting: [UInt64: (block: FrozenBlock, transaction: UInt64)] = [:]

  #if DEBUG || ModelCheck
    private let bugs: FileSystemBugs
  #endif

  /// - Parameter head: of an empty log; the first transaction is the one it expects.
  init(_ fs: ExtentFileSystem, head: LogHead) {
    device = fs.device
    count = fs.geometry.logCount
    self.head = head
    #if DEBUG || ModelCheck
      bugs = fs.bugs
    #endif
  }

  /// The oldest transaction that a recovery would read; `next` where there is none.
  func oldest(or next: UInt64) -> UInt64 { records.first?.transaction ?? next }

  /// Makes a transaction durable.
  mutating func write(_ blocks: [FrozenBlock], as transaction: UInt64) throws(DeviceError) {
    let capacity = JournalDescriptor.capacity
    let needed = UInt64(blocks.count + (blocks.count + capacity - 1) / capacity + 1)
    guard needed < count else { throw DeviceError("a transaction of \(needed) blocks does not fit the log") }
    if inUse + needed > count { try makeRoom(needed, next: transaction) }

    var at = position
    let tags = blocks.map { JournalDescriptor.Tag($0, transaction: transaction) }
    device.note(.commit(step: "copies", transaction: transaction))
    for start in stride(from: 0, to: blocks.count, by: capacity) {
      let part = start..<min(start + capacity, blocks.count)
      append(JournalDescriptor.encode(tags[part], at: at, transaction: transaction), at: &at)
      for block in blocks[part] { append(block.content, at: &at) }
    }
    try device.fence()
    #if DEBUG || ModelCheck
      if bugs.has(.writesHomeBeforeCommit) {
        for block in blocks { device.write(block.content, at: block.number) }
        try device.fence()
      }
    #endif
    device.note(.commit(step: "record", transaction: transaction))
    let record = CommitRecord(position: at, transaction: transaction, copies: UInt64(blocks.count))
    try device.persist(record.encode(), at: (Geometry.logStart + at) << PageSize.shift)
    device.note(.commit(step: "committed", transaction: transaction))

    records.append(Record(transaction: transaction, start: position, length: needed))
    inUse += needed
    position = (at + 1) % count
    for block in blocks { waiting[block.number] = (block, transaction) }
  }

  private func append(_ block: RawBlock, at position: inout UInt64) {
    var flushing = true
    #if DEBUG || ModelCheck
      flushing = !bugs.has(.skipsFlushBeforeRecord)
    #endif
    device.write(block, at: Geometry.logStart + position, flushing: flushing)
    position = (position + 1) % count
  }

  /// Takes the oldest transactions out of the log: as many as it needs, and on to half of it, so that this is rare.
  private mutating func makeRoom(_ needed: UInt64, next: UInt64) throws(DeviceError) {
    var left = inUse
    var gone = 0
    while gone < records.count, left + needed > count || left > count / 2 {
      left -= records[gone].length
      gone += 1
    }
    try writeHome(first: gone, next: next)
  }

  /// Writes everything home and empties the log.
  mutating func empty(next: UInt64) throws(DeviceError) { try writeHome(first: records.count, next: next) }

  private mutating func writeHome(first gone: Int, next: UInt64) throws(DeviceError) {
    let stays = gone < records.count ? records[gone] : nil
    let tail = stays?.transaction ?? next
    device.note(.commit(step: "checkpoint", transaction: tail))
    let numbers = waiting.keys.sorted().filter { number in waiting[number].map { $0.transaction < tail } ?? false }
    for number in numbers {
      if let (block, _) = waiting[number] { device.write(block.content, at: number) }
    }
    try device.fence()
    head.generation += 1
    head.state = .inUse
    head.start = stays?.start ?? position
    head.sequence = tail
    try device.persist(head)
    for number in numbers { waiting[number] = nil }
    inUse -= records[..<gone].reduce(0) { $0 + $1.length }
    records.removeFirst(gone)
  }

  /// Marks the file system as unmounted: everything is home.
  mutating func close() throws(DeviceError) {
    head.generation += 1
    head.state = .clean
    try device.persist(head)
  }
}

/// Blocks that wait until no crash can bring back what referred to them.
struct GivenUpBlocks {
  /// Of the running transaction.
  private var running: [GivenUp] = []
  /// Metadata that committed transactions gave up: copies of them may lie in the log.
  private var inLog: [(blocks: Range<UInt64>, transaction: UInt64)] = []

  var isEmpty: Bool { running.isEmpty }

  mutating func add(_ blocks: Range<UInt64>, wasMetadata: Bool) {
    running.append(GivenUp(blocks: blocks, wasMetadata: wasMetadata))
  }

  /// What the transaction that ends here gave up.
  mutating func take() -> [GivenUp] {
    defer { running = [] }
    return running
  }

  /// A transaction has committed: files' blocks are free. Blocks of metadata are free when no copy of them is left in the log, so that no
  /// replay writes over a file's data and nothing like a revoke record is needed.
  mutating func release(_ givenUp: [GivenUp], of transaction: UInt64, oldestInLog: UInt64, in fs: ExtentFileSystem) {
    for one in givenUp {
      if one.wasMetadata { inLog.append((one.blocks, transaction)) } else { fs.allocator.release(one.blocks) }
    }
    releaseMetadata(oldestInLog: oldestInLog, in: fs)
  }

  mutating func releaseMetadata(oldestInLog: UInt64, in fs: ExtentFileSystem) {
    while let first = inLog.first, first.transaction < oldestInLog {
      fs.allocator.release(first.blocks)
      inLog.removeFirst()
    }
  }
}
