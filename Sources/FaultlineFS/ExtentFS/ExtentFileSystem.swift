import Faultline

/// # ExtentFS
///
/// A file system with extents on a ``DAXDevice``: files are mapped where they lie. Its bytes are told in `docs/fs-format.md`.
///
/// * `Format/` is what lies on the device, each structure beside its checks. Nothing there knows a file system in use.
/// * `Blocks/` keeps, in memory, which blocks are whose. `Metadata/` makes changes of metadata durable, in three ways behind
///   ``MetadataLog``. `Files/` is what a program does: names, sizes, blocks, bytes.
///
/// Laws:
/// 1. What is in memory is the truth while mounted. A change is made inside a handle, all of it or nothing; ``freeze(_:)`` turns
///    what has changed into blocks, and only the log writes them.
/// 2. Blocks are zeroed durably before an extent says that they are written.
/// 3. A block that is given up is used again only when no crash can bring back what referred to it.
/// 4. What is read from the device is checked before it is believed; what does not hold is an error, never a trap.
///
/// Lock order: the engine's locks of a file → a handle → ``Monitor``. One monitor guards all metadata; it is given up only while a
/// commit is written or waited for. Never commit inside a handle.
///
/// Any thread may use a file system. `@unchecked Sendable`: everything that changes is behind the monitor.
public final class ExtentFileSystem: @unchecked Sendable {
  public let device: any DAXDevice
  public let geometry: Geometry
  public let rules: FileSystemRules

  let monitor = Monitor()
  var allocator: BlockAllocator
  var changes = PendingChanges()
  /// Inodes in memory: all that were looked at since the mount.
  var files: [UInt64: ExtentFile] = [:]
  var inodes: InodeTable
  /// The orphan list: inodes without a name that are open, newest first.
  var orphans: [UInt64] = []
  var reader: BlockReader
  /// Set once, before anybody else has the file system: it needs the file system itself.
  var log: (any MetadataLog)!
  /// Whether it had been unmounted in order, so that this mount had nothing to recover.
  public let wasClean: Bool
  /// Damage that recovery could not mend.
  var damage: KernelError?
  private let isMountedReadOnly: Bool
  var isMounted = true

  #if DEBUG || ModelCheck
    let bugs: FileSystemBugs
  #endif

  init(_ mount: MountedImage, options: MountOptions) {
    device = mount.reader.device
    geometry = mount.geometry
    rules = options.rules ?? FileSystemRules(mount.geometry.mode)
    allocator = mount.allocator
    inodes = mount.inodes
    orphans = mount.orphans
    reader = mount.reader
    wasClean = mount.head.state == .clean
    damage = mount.damage
    isMountedReadOnly = options.readOnly
    #if DEBUG || ModelCheck
      bugs = options.bugs
    #endif
  }

  /// Opens a handle around a change, under the monitor. A change that fails for want of blocks is tried again once what was given
  /// up has been made durable.
  func change<Value>(_ body: () throws(KernelError) -> Value) throws(KernelError) -> Value {
    monitor.lock()
    defer { monitor.unlock() }
    do { return try changeOnce(body) } catch {
      guard error.errno == .ENOSPC, allocator.busyCount > 0 else { throw error }
      try log.commitAll()
      return try changeOnce(body)
    }
  }

  private func changeOnce<Value>(_ body: () throws(KernelError) -> Value) throws(KernelError) -> Value {
    try beginLocked()
    defer { log.end() }
    return try body()
  }

  func beginLocked() throws(KernelError) {
    try checkMounted()
    if let readOnlyReason { throw KernelError(.EROFS, "read-only: \(readOnlyReason.message)") }
    try log.begin()
  }

  /// Why nothing may change, if nothing may.
  var readOnlyReason: KernelError? {
    damage ?? (isMountedReadOnly ? KernelError(.EROFS, "it was mounted so") : nil)
  }

  func checkMounted() throws(KernelError) {
    guard isMounted else { throw KernelError(.EIO, "the file system is not mounted any more") }
  }

  /// Threads that wait for somebody else's commit, or for metadata that somebody else is at work on.
  package var waiterCount: Int { monitor.waiterCount }

  /// Looks at metadata under the monitor.
  func look<Value>(_ body: () throws(KernelError) -> Value) throws(KernelError) -> Value {
    monitor.lock()
    defer { monitor.unlock() }
    try checkMounted()
    return try body()
  }

  /// Whether so few blocks are free that those given up had better come back first: fewer than a store to 2 MiB takes.
  var isShortOfBlocks: Bool { allocator.freeCount < PageSize.entriesPerTable + 8 && allocator.busyCount > 0 }

  /// The file with this number, from memory or from the table.
  ///
  /// - Throws: `EUCLEAN` for a damaged or a free record, `EIO`.
  func load(_ number: UInt64) throws(KernelError) -> ExtentFile {
    if let file = files[number] { return file }
    let file = try ExtentFile(loading: number, of: self)
    files[number] = file
    return file
  }

  // MARK: whole file system

  /// Makes everything durable that was done until now. sync(2).
  ///
  /// - Throws: `EIO`, `EROFS`.
  public func sync() throws(KernelError) {
    monitor.lock()
    defer { monitor.unlock() }
    try checkMounted()
    if readOnlyReason == nil { try log.commitAll() }
  }

  /// Writes everything home and ends the use of the file system; files of it answer `EIO` from then on. Files without a name that are
  /// still open are deleted by the next mount.
  ///
  /// - Throws: `EIO`, `EROFS`; it is unmounted all the same, and the next mount recovers what was committed.
  public func unmount() throws(KernelError) {
    monitor.lock()
    defer { monitor.unlock() }
    guard isMounted else { return }
    defer { forget() }
    guard readOnlyReason == nil else { return }
    if (try? log.begin()) != nil {
      giveBackPrepared()
      log.end()
    }
    try log.close()
  }

  /// Ends the use of the file system as a power cut would: nothing more reaches the device.
  public func abandon() {
    monitor.lock()
    defer { monitor.unlock() }
    forget()
  }

  private func forget() {
    isMounted = false
    files = [:]
    changes = PendingChanges()
  }

  /// Room and its use, in blocks of 4096 bytes. statfs(2).
  public struct Statistics: Hashable, Sendable {
    public let blocks: UInt64
    /// Blocks that can be had, at once or after a commit.
    public let freeBlocks: UInt64
    public let inodes: UInt64
    public let freeInodes: UInt64
    public let mode: MetadataMode
    /// Commits since the mount.
    public let commits: UInt64
    /// What is damaged and could not be recovered, or `nil`.
    public let damage: String?
    /// Why nothing can be changed, or `nil`.
    public let readOnly: String?
  }

  public var statistics: Statistics {
    monitor.lock()
    defer { monitor.unlock() }
    return Statistics(
      blocks: UInt64(geometry.data.count), freeBlocks: allocator.freeCount + allocator.busyCount,
      inodes: geometry.inodeCount, freeInodes: inodes.freeCount, mode: geometry.mode, commits: log.commits,
      damage: damage?.message, readOnly: (readOnlyReason ?? log?.failure)?.message)
  }
}
