import Faultline

/// A journal of whole blocks. Kernel: jbd2 with ext4's ordered mode.
///
/// * A handle joins the running transaction. Whoever needs a transaction durable commits it himself: locked, no handle begins; without handles
///   its blocks are frozen; from then on a new transaction runs while this one is written.
/// * Copies first, flushed; then the commit record, flushed; only then is the transaction committed and those who wait for it wake.
/// * Log first, home later, tail last: committed copies go home when the log runs short of room, and only when they are durable
///   there does the log's head move.
/// * What a transaction gave up is free once it has committed. Blocks of metadata wait also until no copy of them is in the log: so no replay
///   writes over a file's data, and nothing like a revoke record is needed.
final class OrderedJournal: MetadataLog {
  private unowned let fs: ExtentFileSystem
  private let device: any DAXDevice
  private let logCount: UInt64

  private(set) var running: UInt64
  private(set) var failure: KernelError?
  private var handles = 0
  private var isLocked = false
  private var committing: UInt64?
  private(set) var committed: UInt64
  private(set) var commits: UInt64 = 0
  private var givenUp: [GivenUp] = []

  private var head: LogHead
  /// Where the next transaction goes, and blocks of the log in use before it.
  private var position: UInt64 = 0
  private var inUse: UInt64 = 0
  /// The newest committed copy of each block that is not home yet. Whoever commits owns it.
  private var notHome: [UInt64: FrozenBlock] = [:]
  private var metadataToRelease: [Range<UInt64>] = []

  /// - Parameter head: of an empty log; the first transaction is the one it expects.
  init(_ fs: ExtentFileSystem, head: LogHead) {
    self.fs = fs
    self.head = head
    device = fs.device
    logCount = fs.geometry.logCount
    running = head.sequence
    committed = head.sequence - 1
  }

  // MARK: handles

  /// A transaction that is larger than this is committed before it gets another handle; the rest is for what open handles add.
  private var largest: Int { Int(logCount / 8) }

  func begin() throws(KernelError) {
    while true {
      if let failure { throw KernelError(.EROFS, "read-only since a commit failed: \(failure.message)") }
      if isLocked {
        fs.monitor.wait()
      } else if fs.changes.estimate > largest || fs.isShortOfBlocks && !givenUp.isEmpty {
        try complete(running)
      } else {
        break
      }
    }
    handles += 1
  }

  func end() {
    handles -= 1
    if handles == 0 { fs.monitor.wakeAll() }
  }

  func changed(_ file: ExtentFile, dataRelevant: Bool) {
    file.syncTransaction = running
    if dataRelevant { file.datasyncTransaction = running }
  }

  func isDirty(_ file: ExtentFile) -> Bool { file.datasyncTransaction > committed }

  func gaveUp(_ blocks: Range<UInt64>, wasMetadata: Bool) {
    givenUp.append(GivenUp(blocks: blocks, wasMetadata: wasMetadata))
  }

  // MARK: commit

  func commit(_ file: ExtentFile, dataOnly: Bool) throws(KernelError) {
    var transaction = dataOnly ? file.datasyncTransaction : file.syncTransaction
    #if DEBUG || ModelCheck
      if fs.bugs.has(.commitsWrongTransaction) { transaction = transaction > 0 ? transaction - 1 : 0 }
      if fs.bugs.has(.skipsWaitForCommitting), transaction == committing { return }
    #endif
    try complete(transaction)
  }

  func commitAll() throws(KernelError) {
    if fs.changes.isEmpty, givenUp.isEmpty, committing == nil { return try checkpoint() }
    try complete(running)
    try checkpoint()
  }

  /// Waits until a transaction is durable, writing it unless somebody does.
  private func complete(_ transaction: UInt64) throws(KernelError) {
    while committed < transaction {
      if let failure { throw failure }
      if isLocked || committing != nil {
        fs.monitor.wait()
      } else {
        try commitRunning()
      }
    }
  }

  private func commitRunning() throws(KernelError) {
    let transaction = running
    isLocked = true
    device.note(.commit(step: "locked", transaction: transaction))
    while handles > 0 { fs.monitor.wait() }
    let blocks = fs.freeze(transaction)
    let givenUp = givenUp
    self.givenUp = []
    running = transaction + 1
    committing = transaction
    isLocked = false
    #if DEBUG || ModelCheck
      if fs.bugs.has(.announcesCommitEarly) { committed = transaction }
    #endif
    fs.monitor.wakeAll()
    fs.monitor.unlock()
    let result = Result { () throws(DeviceError) -> Bool in try write(blocks, as: transaction) }
    fs.monitor.lock()
    committing = nil
    defer { fs.monitor.wakeAll() }
    switch result {
    case .success(let emptiedLog):
      committed = transaction
      commits += 1
      if emptiedLog { releaseMetadata() }
      release(givenUp)
    case .failure(let error):
      abort(KernelError(error))
      throw KernelError(error)
    }
  }

  private func release(_ givenUp: [GivenUp]) {
    for one in givenUp {
      if one.wasMetadata { metadataToRelease.append(one.blocks) } else { fs.allocator.release(one.blocks) }
    }
  }

  private func releaseMetadata() {
    for blocks in metadataToRelease { fs.allocator.release(blocks) }
    metadataToRelease = []
  }

  /// Nothing is written any more: what the device holds is what it will hold.
  private func abort(_ error: KernelError) {
    guard failure == nil else { return }
    failure = error
  }

  /// Writes a transaction to the log; nobody else touches log, head and ``notHome`` meanwhile. Returns whether what was in the log before
  /// has gone home.
  private func write(_ blocks: [FrozenBlock], as transaction: UInt64) throws(DeviceError) -> Bool {
    let capacity = JournalDescriptor.capacity
    let needed = UInt64(blocks.count + (blocks.count + capacity - 1) / capacity + 1)
    guard needed < logCount else { throw DeviceError("a transaction of \(needed) blocks does not fit the journal") }
    let isFull = inUse + needed > logCount
    if isFull { try writeHome(next: transaction) }

    var at = position
    let tags = blocks.map { JournalDescriptor.Tag($0, transaction: transaction) }
    device.note(.commit(step: "copies", transaction: transaction))
    for start in stride(from: 0, to: blocks.count, by: capacity) {
      let part = start..<min(start + capacity, blocks.count)
      writeLog(JournalDescriptor.encode(tags[part], at: at, transaction: transaction), at: &at)
      for block in blocks[part] { writeLog(block.content, at: &at) }
    }
    try device.fence()
    #if DEBUG || ModelCheck
      if fs.bugs.has(.writesHomeBeforeCommit) {
        for block in blocks { device.write(block.content, at: block.number) }
        try device.fence()
      }
    #endif
    device.note(.commit(step: "record", transaction: transaction))
    let record = CommitRecord(position: at, transaction: transaction, copies: UInt64(blocks.count))
    try device.persist(record.encode(), first: CommitRecord.byteCount, at: (Geometry.logStart + at) << PageSize.shift)
    device.note(.commit(step: "committed", transaction: transaction))

    position = (at + 1) % logCount
    inUse += needed
    for block in blocks { notHome[block.number] = block }
    return isFull
  }

  private func writeLog(_ block: RawBlock, at position: inout UInt64) {
    var flushing = true
    #if DEBUG || ModelCheck
      flushing = !fs.bugs.has(.skipsFlushBeforeRecord)
    #endif
    device.write(block, at: Geometry.logStart + position, flushing: flushing)
    position = (position + 1) % logCount
  }

  // MARK: checkpoint

  /// Writes every committed copy home and empties the log. `next` is the transaction that will begin it again.
  private func writeHome(next: UInt64) throws(DeviceError) {
    device.note(.commit(step: "checkpoint", transaction: next))
    for number in notHome.keys.sorted() {
      if let block = notHome[number] { device.write(block.content, at: number) }
    }
    try device.fence()
    head.generation += 1
    head.state = .inUse
    head.start = position
    head.sequence = next
    try device.persist(head)
    notHome = [:]
    inUse = 0
  }

  private func checkpoint() throws(KernelError) {
    while committing != nil { fs.monitor.wait() }
    if let failure { throw failure }
    do { try writeHome(next: running) } catch {
      abort(KernelError(error))
      throw KernelError(error)
    }
    releaseMetadata()
  }

  func close() throws(KernelError) {
    try commitAll()
    head.generation += 1
    head.state = .clean
    do { try device.persist(head) } catch { throw KernelError(error) }
  }
}
