import Faultline

/// How a file system is mounted.
public struct MountOptions: Sendable {
  /// Nothing is written, not even by recovery: what the log holds is read from there.
  public var readOnly = false
  /// What names, links, orphans and bitmap contradict each other in is corrected first, whether or not the file system was unmounted. Without
  /// a log that is done in any case after a crash.
  public var repairs = false
  /// What the file system does as its kind does it; by default as the mode's kind.
  public var rules: FileSystemRules?
  #if DEBUG || ModelCheck
    public var bugs = FileSystemBugs()
  #endif

  public init(readOnly: Bool = false, repairs: Bool = false, rules: FileSystemRules? = nil) {
    self.readOnly = readOnly
    self.repairs = repairs
    self.rules = rules
  }
}

/// The metadata of a device as they are read for a mount.
struct MountedImage {
  let geometry: Geometry
  var head: LogHead
  /// The transaction that the log began with.
  private let firstSequence: UInt64
  var reader: BlockReader
  var allocator: BlockAllocator
  var inodes: InodeTable
  var orphans: [UInt64] = []
  /// Whether a crash may have left what only ``ExtentFileSystem/repair()`` mends: bitmap and orphan list mean nothing then.
  var needsRepair: Bool { geometry.mode == .inPlace && head.state != .clean }
  /// What is wrong with it and keeps it from being changed.
  var damage: KernelError?

  /// Reads what every mount needs, and what the log holds.
  ///
  /// - Throws: `EINVAL` for no file system, `EUCLEAN` for one that cannot be mounted, `EIO`.
  init(_ device: any DAXDevice) throws(KernelError) {
    reader = BlockReader(device)
    geometry = try Superblock.decode(reader.read(0), at: 0, devicePages: device.pageCount)
    guard let head = LogHead.decode(try reader.read(Geometry.logHeadBlock), geometry: geometry) else {
      throw .damaged("both records of the log's head are damaged")
    }
    self.head = head
    firstSequence = head.sequence
    allocator = BlockAllocator(geometry)
    inodes = InodeTable(geometry)
    try recover()
    try readBitmap()
    try readInodes()
    try readOrphans()
  }

  private mutating func recover() throws(KernelError) {
    guard head.state != .clean, geometry.mode != .inPlace else { return }
    let recovery = try JournalRecovery(reader, geometry: geometry, head: head)
    reader.replayed = recovery.blocks
    // The number of a transaction that was not finished is not used again: what it left in the log must never count.
    head.sequence = recovery.next + 1
  }

  private mutating func readBitmap() throws(KernelError) {
    guard !needsRepair else { return }
    for index in 0..<Int(geometry.bitmapCount) {
      let number = geometry.bitmapStart + UInt64(index)
      let bytes = try reader.read(number)
      if let complaint = BlockKind.bitmap.complaint(about: bytes, number: number, owner: 0) {
        note(.damaged("block \(number) of the bitmap \(complaint)"))
      }
      allocator.load(bytes, index: index)
    }
    allocator.recount()
  }

  private mutating func readInodes() throws(KernelError) {
    for index in 0..<Int(geometry.inodeBlockCount) {
      let complaint = inodes.load(try reader.read(geometry.inodeStart + UInt64(index)), index: index)
      guard let complaint, geometry.mode != .inPlace else { continue }
      note(.damaged("block \(index) of the inode table \(complaint)"))
      inodes.markChanged(index)
    }
  }

  private mutating func readOrphans() throws(KernelError) {
    guard !needsRepair else { return }
    let bytes = try reader.read(Geometry.rootBlock)
    if let complaint = BlockKind.root.complaint(about: bytes, number: Geometry.rootBlock, owner: 0) {
      return note(.damaged("the root block \(complaint)"))
    }
    var next: UInt64 = bytes.number(32)
    while next != 0 {
      guard next <= geometry.inodeCount, !orphans.contains(next), let record = inodes.record(next),
        record.kind != .free, record.links == 0
      else { return note(.damaged("the orphan list leads to inode \(next), which is none")) }
      orphans.append(next)
      next = record.nextOrphan
    }
  }

  private mutating func note(_ damage: KernelError) { self.damage = self.damage ?? damage }
}

extension ExtentFileSystem {
  /// Mounts what ``make(on:mode:blockCount:logCount:inodeCount:)`` has made: recovers what was committed and deletes files
  /// that had no name any more. Where the bitmap, the inode table or the orphan list is damaged, nothing can be changed.
  ///
  /// - Throws: `EINVAL` for no file system, `EUCLEAN` when superblock, log or root directory are damaged, `EIO`.
  public static func mount(_ device: any DAXDevice, options: MountOptions = MountOptions()) throws(KernelError)
    -> ExtentFileSystem
  {
    var image = try MountedImage(device)
    let repairs = options.repairs || image.needsRepair
    let isReadOnly = options.readOnly || image.damage != nil && !repairs
    let fs = ExtentFileSystem(image, options: options)
    if !isReadOnly {
      do { try image.bringHome(options) } catch { throw KernelError(error) }
      fs.reader = image.reader
    }
    fs.log = fs.makeLog(image.head)
    do throws(KernelError) {
      if repairs { fs.repairOrRefuse() }
      guard try fs.load(rootInode).isDirectory else { throw .damaged("the root is no directory") }
      if fs.readOnlyReason == nil { try fs.deleteOrphans() }
    } catch {
      fs.abandon()
      throw error
    }
    return fs
  }

  private func makeLog(_ head: LogHead) -> any MetadataLog {
    switch geometry.mode {
    case .orderedJournal: TransactionLog(self, head: head, test: TransactionNumbers())
    case .pinnedLog: TransactionLog(self, head: head, test: Pins())
    case .inPlace: InPlaceMetadata(self, head: head)
    }
  }

  /// Damage that is no crash's is not touched: then nothing is.
  private func repairOrRefuse() {
    damage = nil
    do throws(KernelError) {
      try repair()
      try sync()
    } catch {
      damage = error
    }
  }

  /// Deletes what lost its last name before the file system was unmounted.
  private func deleteOrphans() throws(KernelError) {
    guard !orphans.isEmpty else { return }
    for number in orphans { _ = try load(number) }
    for number in orphans {
      try change { () throws(KernelError) in
        let file = try load(number)
        removeOrphan(file)
        delete(file)
      }
    }
    try sync()
  }
}

extension MountedImage {
  /// Writes home what the log held and marks the file system as in use with an empty log.
  fileprivate mutating func bringHome(_ options: MountOptions) throws(DeviceError) {
    let device = reader.device
    for number in reader.replayed.keys.sorted() {
      if let block = reader.replayed[number] { device.write(block.content, at: number) }
    }
    try device.fence()
    reader.replayed = [:]
    #if DEBUG || ModelCheck
      if options.bugs.has(.recoveryKeepsSequence) { head.sequence = firstSequence }
    #endif
    head.generation += 1
    head.state = .inUse
    head.start = 0
    try device.persist(head)
  }
}
