import Faultline
import Synchronization

/// A file or directory of an ``ExtentFileSystem``, as ``DAXFile`` asks for it and with read and write beside.
///
/// Any thread may use it. `@unchecked Sendable`: everything that changes is behind the file system's monitor.
public final class ExtentFile: DAXFile, @unchecked Sendable {
  let fs: ExtentFileSystem
  public let inode: UInt64
  let kind: InodeRecord.Kind

  private let currentSize: Atomic<UInt64>
  var links: UInt32
  var parent: UInt64
  var nextOrphan: UInt64 = 0
  /// Of the record that was written last.
  var version: UInt64
  var extents = ExtentList()
  /// What has blocks for a store that has not come yet.
  var prepared = PreparedPages()
  /// The blocks with the extents that the record has no room for.
  var extentBlocks: [UInt64] = []
  /// A directory's entries; `nil` also where they are damaged.
  var directory: Directory?
  private(set) var directoryDamage: KernelError?
  /// Opened and not closed, so many times.
  var opens = 0
  /// Whether its inode was given back: the record becomes free.
  var isDeleted = false
  var placementRule: Placement?

  /// The last transaction that changed anything, and the last that changed what finding data needs; 0 for none that has to
  /// be waited for. The log's to set. Kernel: `i_sync_tid`, `i_datasync_tid`.
  var syncTransaction: UInt64 = 0
  var datasyncTransaction: UInt64 = 0
  /// What a crash now would leave, and what it would leave once the transaction that commits is durable. For ``isDurable(_:at:)``.
  private(set) var durable = CommittedMap()
  private var frozen: CommittedMap?

  /// Transactions of a log with pins that hold the file and are not durable.
  var pins = 0

  public var device: any DAXDevice { fs.device }
  public var size: UInt64 { currentSize.load(ordering: .acquiring) }
  public var isDirectory: Bool { kind == .directory }

  /// A new one without a name yet.
  init(new inode: UInt64, kind: InodeRecord.Kind, parent: UInt64, version: UInt64, of fs: ExtentFileSystem) {
    self.fs = fs
    self.inode = inode
    self.kind = kind
    self.parent = parent
    self.version = version
    links = 1
    currentSize = Atomic(0)
    if kind == .directory { directory = Directory() }
  }

  /// One from the table.
  ///
  /// - Throws: `EUCLEAN`, `EIO`.
  init(loading number: UInt64, of fs: ExtentFileSystem) throws(KernelError) {
    guard let record = fs.inodes.record(number), record.kind != .free else {
      throw .damaged("inode \(number) is damaged or free")
    }
    let image = try InodeImage(
      record, inline: fs.inodes.inlineExtents(number), reader: fs.reader, geometry: fs.geometry)
    self.fs = fs
    inode = number
    kind = record.kind
    links = record.links
    parent = record.parent
    nextOrphan = record.nextOrphan
    version = record.version
    extents = image.extents
    extentBlocks = image.extentBlocks
    currentSize = Atomic(record.size)
    if record.kind == .directory {
      // The inode can be looked at all the same, by who lists the directory above.
      do throws(KernelError) {
        directory = try Directory(reading: image, reader: fs.reader, geometry: fs.geometry)
      } catch {
        directoryDamage = error
      }
    }
    durable = CommittedMap(size: record.size, extents: extents)
    fs.log.adopt(self)
  }

  func setSize(_ size: UInt64) { currentSize.store(size, ordering: .releasing) }

  func checkIsFile() throws(KernelError) {
    guard kind == .file else { throw KernelError(.EISDIR, "inode \(inode) is a directory") }
  }

  /// The entries of what a path leads to.
  ///
  /// - Throws: `ENOTDIR`, `EUCLEAN` when they are damaged.
  func entries(_ path: String) throws(KernelError) -> Directory {
    if let directory { return directory }
    throw directoryDamage ?? KernelError(.ENOTDIR, "\"\(path)\" is no directory")
  }

  /// Turns what has changed into blocks.
  func freeze(into blocks: inout [FrozenBlock], transaction: UInt64) {
    version += 1
    let record = InodeRecord(
      kind: isDeleted ? .free : kind, number: inode, version: version, size: size, nextOrphan: nextOrphan,
      parent: parent,
      firstExtentBlock: extentBlocks.first ?? 0, links: links, extentCount: UInt32(extents.items.count))
    fs.inodes.set(record, extents: extents)
    frozen = CommittedMap(size: size, extents: extents)
    guard !isDeleted else { return }
    for (index, number) in extentBlocks.enumerated() {
      let range = ExtentBlock.range(index, ofExtents: extents.items.count)
      guard extents.changedFrom < ExtentBlock.firstExtent(index + 1) else { continue }
      let next = index + 1 < extentBlocks.count ? extentBlocks[index + 1] : 0
      blocks.append(
        ExtentBlock.encode(
          extents.items[range], next: next, at: number, transaction: transaction, owner: inode))
    }
    extents.markEncoded()
    if var directory {
      directory.freeze(into: &blocks, extents: extents, transaction: transaction, owner: inode)
      self.directory = directory
    }
  }

  /// What was frozen last is durable.
  func becomeDurable() {
    durable = frozen ?? durable
    frozen = nil
  }

  // MARK: DAXFile

  public func isDurable(_ range: Range<UInt64>, at address: UInt64) -> Bool? {
    fs.monitor.lock()
    defer { fs.monitor.unlock() }
    return durable.shows(range, at: address)
  }

  public func beginHandle() throws(KernelError) {
    fs.monitor.lock()
    defer { fs.monitor.unlock() }
    try fs.beginLocked()
  }

  public func endHandle() {
    fs.monitor.lock()
    defer { fs.monitor.unlock() }
    fs.log.end()
  }

  public func endMap(_ map: IOMap, for request: IOMapRequest, written: UInt64) throws(KernelError) {}

  public func commit(dataOnly: Bool) throws(KernelError) {
    fs.monitor.lock()
    defer { fs.monitor.unlock() }
    try fs.checkMounted()
    if let reason = fs.readOnlyReason { throw KernelError(.EROFS, "read-only: \(reason.message)") }
    try fs.log.commit(self, dataOnly: dataOnly)
  }

  // MARK: what a program asks

  /// Makes data and metadata durable. Stores through mappings are the engine's to write back first. fsync(2).
  ///
  /// - Throws: `EIO` when it is not durable, `EROFS`.
  public func fsync() throws(KernelError) { try commit(dataOnly: false) }

  /// Makes data durable and the metadata that finding them needs. fdatasync(2).
  ///
  /// - Throws: `EIO` when it is not durable, `EROFS`.
  public func fdatasync() throws(KernelError) { try commit(dataOnly: true) }

  /// Where pages that get blocks from now on shall lie; `nil` for anywhere. Pages for whose place no block is free lie elsewhere.
  public func setPlacement(_ placement: Placement?) {
    fs.monitor.lock()
    defer { fs.monitor.unlock() }
    placementRule = placement
  }

  /// What the file has on the device, in the order of its pages. FIEMAP.
  public func extentReport() throws(KernelError) -> [ExtentReport] {
    try fs.look { () throws(KernelError) in
      extents.items.map {
        ExtentReport(page: $0.page, count: $0.count, devicePage: $0.block, isWritten: $0.isWritten)
      }
    }
  }

  /// What stat(2) tells.
  public func status() throws(KernelError) -> FileStatus {
    try fs.look { () throws(KernelError) in statusLocked }
  }

  var statusLocked: FileStatus {
    FileStatus(
      inode: inode, isDirectory: isDirectory, size: size, blocks: extents.blockCount + UInt64(extentBlocks.count),
      links: links)
  }
}

/// A run of a file's pages on the device; all numbers are pages of 4096 bytes.
public struct ExtentReport: Hashable, Sendable {
  public let page: UInt64
  public let count: UInt64
  public let devicePage: UInt64
  public let isWritten: Bool
}

/// What is known of a file without reading it.
public struct FileStatus: Hashable, Sendable {
  public let inode: UInt64
  public let isDirectory: Bool
  /// Bytes.
  public let size: UInt64
  /// Blocks of 4096 bytes that it takes, those of its extents included.
  public let blocks: UInt64
  public let links: UInt32
}
