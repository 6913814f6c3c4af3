import Faultline

/// Metadata that become durable by transactions in a log. Kernel: jbd2, and the delayed log of XFS, which calls a transaction that
/// gathers changes a context.
///
/// * A handle joins the running transaction. Whoever needs a transaction durable commits it himself: locked, no handle begins; without handles
///   its blocks are frozen; from then on a new transaction runs while this one is written.
/// * Only one transaction commits at a time; those who wait for it, or for a later one, sleep, and one commit serves them all.
/// * Committed is announced when the commit record is durable, never before.
/// * What a transaction gave up is free once it has committed.
final class TransactionLog: MetadataLog {
  private unowned let fs: ExtentFileSystem
  private let test: any DirtyTest

  private(set) var running: UInt64
  private(set) var failure: KernelError?
  private var handles = 0
  private var isLocked = false
  private var committing: UInt64?
  private(set) var committed: UInt64
  private(set) var commits: UInt64 = 0
  private var givenUp = GivenUpBlocks()
  /// Whoever commits owns it.
  private var log: BlockLog

  /// - Parameter head: of an empty log; the first transaction is the one it expects.
  init(_ fs: ExtentFileSystem, head: LogHead, test: any DirtyTest) {
    self.fs = fs
    self.test = test
    log = BlockLog(fs, head: head)
    running = head.sequence
    committed = head.sequence - 1
  }

  // MARK: handles

  /// A transaction that is larger than this is committed before it gets another handle; the rest is for what open handles add.
  private var largest: Int { Int(fs.geometry.logCount / 8) }

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
    if isLocked, handles == 0 { fs.monitor.wakeAll() }
  }

  func adopt(_ file: ExtentFile) { test.adopt(file, running: running) }

  func changed(_ file: ExtentFile, dataRelevant: Bool) {
    test.changed(file, dataRelevant: dataRelevant, running: running)
  }

  func isDirty(_ file: ExtentFile) -> Bool { test.isDirty(file, committed: committed) }

  func gaveUp(_ blocks: Range<UInt64>, of file: ExtentFile, wasMetadata: Bool) {
    givenUp.add(blocks, wasMetadata: wasMetadata)
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
    if !fs.changes.isEmpty || !givenUp.isEmpty || committing != nil { try complete(running) }
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
    fs.device.note(.commit(step: "locked", transaction: transaction))
    while handles > 0 { fs.monitor.wait() }
    let (blocks, files) = fs.freeze(transaction)
    let givenUp = givenUp.take()
    running = transaction + 1
    committing = transaction
    test.sealed()
    isLocked = false
    #if DEBUG || ModelCheck
      if fs.bugs.has(.announcesCommitEarly) {
        committed = transaction
        test.committed()
      }
    #endif
    fs.monitor.wakeAll()
    fs.monitor.unlock()
    let result = Result { () throws(DeviceError) -> Void in try log.write(blocks, as: transaction) }
    fs.monitor.lock()
    committing = nil
    defer { fs.monitor.wakeAll() }
    do { try result.get() } catch { throw abort(error) }
    committed = transaction
    for file in files { file.becomeDurable() }
    test.committed()
    commits += 1
    self.givenUp.release(givenUp, of: transaction, oldestInLog: log.oldest(or: running), in: fs)
  }

  /// Nothing is written any more: what the device holds is what it will hold.
  private func abort(_ error: DeviceError) -> KernelError {
    let error = KernelError(error)
    failure = failure ?? error
    return error
  }

  /// Brings everything that has committed home.
  private func checkpoint() throws(KernelError) {
    while committing != nil { fs.monitor.wait() }
    if let failure { throw failure }
    do { try log.empty(next: running) } catch { throw abort(error) }
    givenUp.releaseMetadata(oldestInLog: running, in: fs)
  }

  func close() throws(KernelError) {
    try commitAll()
    do { try log.close() } catch { throw abort(error) }
  }
}
