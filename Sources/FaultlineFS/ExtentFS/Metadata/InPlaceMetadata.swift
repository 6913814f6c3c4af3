import Faultline

/// Metadata without a log: an inode's are written where they belong by its own fsync. Kernel: ext4 without a journal.
///
/// * An inode has two records that take turns. What else it has (entries of a directory, extents beside the record) is written to new
///   blocks first, durably; then the record that leads to them. So an inode is as before or as after, whatever a crash tears.
/// * Between inodes there is only order. Whatever changes names is written when its handle ends: first inodes that get a name or are moved,
///   then directories, the one that gains a name before the one that loses it, then inodes that are gone. A crash may leave an
///   inode with two names or with none; the next mount repairs that.
/// * Bitmap and orphan list are written by the unmount. A mount after a crash finds both by itself.
/// * What an inode gave up is free when its record that does not lead there any more is durable.
final class InPlaceMetadata: MetadataLog {
  private unowned let fs: ExtentFileSystem
  private var head: LogHead
  private(set) var failure: KernelError?
  private(set) var commits: UInt64 = 0
  /// Files that changed since the last handle ended, in that order.
  private var touched: [ExtentFile] = []
  private var givenUp: [UInt64: [Range<UInt64>]] = [:]

  init(_ fs: ExtentFileSystem, head: LogHead) {
    self.fs = fs
    self.head = head
  }

  /// Every write of an inode is a transaction of its own.
  var running: UInt64 { commits + 1 }
  var committed: UInt64 { commits }

  func begin() throws(KernelError) {
    try checkIsWhole()
    if fs.isShortOfBlocks { try writeChanged() }
  }

  func end() {
    let names = touched.filter { $0.directory?.hasChanges ?? false }
    defer { touched = [] }
    guard !names.isEmpty else { return }
    let gone = touched.filter(\.isDeleted)
    let others = touched.filter { !$0.isDeleted && !($0.directory?.hasChanges ?? false) }
    // What could not be written is told by the next who asks for durability.
    try? write(others + names.filter { !$0.isDeleted } + gone)
  }

  func adopt(_ file: ExtentFile) {}

  func changed(_ file: ExtentFile, dataRelevant: Bool) {
    if !touched.contains(where: { $0 === file }) { touched.append(file) }
    file.syncTransaction = running
    if dataRelevant { file.datasyncTransaction = running }
  }

  func isDirty(_ file: ExtentFile) -> Bool { file.datasyncTransaction != 0 }

  func gaveUp(_ blocks: Range<UInt64>, of file: ExtentFile, wasMetadata: Bool) {
    givenUp[file.inode, default: []].append(blocks)
  }

  // MARK: writing

  func commit(_ file: ExtentFile, dataOnly: Bool) throws(KernelError) {
    try checkIsWhole()
    #if DEBUG || ModelCheck
      if fs.bugs.has(.commitsWrongTransaction) { return }
    #endif
    let wanted = dataOnly ? file.datasyncTransaction : file.syncTransaction
    if wanted != 0 { try write([file]) }
  }

  func commitAll() throws(KernelError) {
    try checkIsWhole()
    try writeChanged()
  }

  func close() throws(KernelError) {
    try commitAll()
    do throws(DeviceError) {
      let root = RootBlock.encode(firstOrphan: fs.orphans.first ?? 0, transaction: running)
      fs.device.write(root.content, at: root.number)
      for index in fs.allocator.changedBlocks {
        let number = fs.geometry.bitmapStart + UInt64(index)
        let block = fs.allocator.freeze(index, at: number, transaction: running)
        fs.device.write(block.content, at: number)
      }
      try fs.device.fence()
      head.generation += 1
      head.state = .clean
      try fs.device.persist(head)
    } catch { throw abort(error) }
  }

  private func checkIsWhole() throws(KernelError) {
    if let failure { throw KernelError(.EROFS, "read-only since a write of metadata failed: \(failure.message)") }
  }

  private func writeChanged() throws(KernelError) {
    try write(fs.changes.files.keys.sorted().compactMap { fs.changes.files[$0] })
    fs.changes = PendingChanges()
  }

  /// Each inode is durable before the next one is begun.
  private func write(_ files: [ExtentFile]) throws(KernelError) {
    for file in files where fs.changes.files[file.inode] === file {
      let transaction = running
      var blocks: [FrozenBlock] = []
      if !file.isDeleted { try file.moveChangedMetadata() }
      file.freeze(into: &blocks, transaction: transaction)
      do { try write(blocks, andRecordOf: file.inode, as: transaction) } catch { throw abort(error) }
      file.becomeDurable()
      commits += 1
      fs.changes.files[file.inode] = nil
      file.syncTransaction = 0
      file.datasyncTransaction = 0
      for blocks in givenUp.removeValue(forKey: file.inode) ?? [] { fs.allocator.release(blocks) }
    }
  }

  private func write(_ blocks: [FrozenBlock], andRecordOf inode: UInt64, as transaction: UInt64) throws(DeviceError) {
    #if DEBUG || ModelCheck
      if fs.bugs.has(.writesHomeBeforeCommit) { try writeRecord(inode) }
    #endif
    fs.device.note(.commit(step: "copies", transaction: transaction))
    for block in blocks { fs.device.write(block.content, at: block.number, flushing: isFlushing) }
    if !blocks.isEmpty { try fs.device.fence() }
    fs.device.note(.commit(step: "record", transaction: transaction))
    try writeRecord(inode)
    fs.device.note(.commit(step: "committed", transaction: transaction))
  }

  private func writeRecord(_ inode: UInt64) throws(DeviceError) {
    let (bytes, offset) = fs.inodes.newestRecord(inode)
    fs.device.store(bytes, at: offset)
    try fs.device.persist(offset..<offset + UInt64(bytes.count))
  }

  private var isFlushing: Bool {
    #if DEBUG || ModelCheck
      !fs.bugs.has(.skipsFlushBeforeRecord)
    #else
      true
    #endif
  }

  private func abort(_ error: DeviceError) -> KernelError {
    let error = KernelError(error)
    failure = failure ?? error
    return error
  }
}

extension ExtentFile {
  /// Gives everything that has changed outside the record a new place, so that what the record on the device leads to stays whole.
  ///
  /// - Throws: `ENOSPC`; what was moved until then is as good as before.
  fileprivate func moveChangedMetadata() throws(KernelError) {
    for page in directory?.changedPages ?? [] {
      let block = try fs.allocateMetadata()
      for old in extents.remove(page..<page + 1) { fs.giveUp(old.blocks, of: self, wasMetadata: true) }
      extents.insert(Extent(page: page, count: 1, block: block, isWritten: true))
    }
    guard extents.changedFrom < .max else { return }
    let count = max(extentBlocks.count, ExtentBlock.blocks(forExtents: extents.items.count))
    guard fs.allocator.freeCount >= UInt64(count) else {
      throw KernelError(.ENOSPC, "no block is free for the extents of inode \(inode)")
    }
    // A block names the next, so that moving one moves all before it.
    for block in extentBlocks { fs.giveUp(block..<block + 1, of: self, wasMetadata: true) }
    extentBlocks = []
    for _ in 0..<count { extentBlocks.append(try fs.allocateMetadata()) }
    extents.markChanged(from: 0)
  }
}
