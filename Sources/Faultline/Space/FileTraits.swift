/// What a file's file system and device decide about its faults.
public struct FileTraits: Sendable, Hashable {
  /// The file system's name, as in `/proc/mounts`.
  public var fileSystem: String
  /// Whether the file system wants to hear of the first store to each clean page, so that shared mappings are entered
  /// read-only. Kernel: `page_mkwrite`, or writeback accounting.
  public var notifiesOfWrites: Bool
  /// Whether the pages live in memory only: holes are filled by the fault, there is no readahead and no writeback.
  /// Kernel: shmem.
  public var isMemoryOnly: Bool
  /// Whether readahead may allocate folios of more than one page.
  public var allowsLargeFolios: Bool
  /// Whether file data goes through the journal. A sync of any part commits it, and a commit makes the entries of all dirty
  /// pages of the file read-only, also of those that it leaves dirty. ext4 mount option: `data=journal`.
  public var journalsData: Bool
  /// Whether O_DIRECT reads and writes go past the cache; other file systems serve them through it.
  public var bypassesCache: Bool
  /// The largest window in pages. Kernel: `ra_pages`, `read_ahead_kb` / 4; 0 turns readahead off.
  public var readaheadPages: UInt64
  /// The largest read the device takes at once, in pages. Kernel: `io_pages`, `max_sectors_kb` / 4.
  public var ioPages: UInt64

  public init(
    fileSystem: String, notifiesOfWrites: Bool, isMemoryOnly: Bool, allowsLargeFolios: Bool,
    journalsData: Bool = false, bypassesCache: Bool = false, readaheadPages: UInt64 = 32, ioPages: UInt64 = 320
  ) {
    self.fileSystem = fileSystem
    self.notifiesOfWrites = notifiesOfWrites
    self.isMemoryOnly = isMemoryOnly
    self.allowsLargeFolios = allowsLargeFolios
    self.journalsData = journalsData
    self.bypassesCache = bypassesCache
    self.readaheadPages = readaheadPages
    self.ioPages = ioPages
  }

  /// tmpfs with `huge=never`.
  public static let tmpfs = FileTraits(
    fileSystem: "tmpfs", notifiesOfWrites: false, isMemoryOnly: true, allowsLargeFolios: false, readaheadPages: 0)

  /// ext4 with `data=journal`: single pages only.
  public static let ext4Journal = FileTraits(
    fileSystem: "ext4j", notifiesOfWrites: true, isMemoryOnly: false, allowsLargeFolios: false,
    journalsData: true)

  /// ext4 under these rules.
  public static func ext4(_ rules: KernelRules) -> FileTraits {
    FileTraits(
      fileSystem: "ext4", notifiesOfWrites: true, isMemoryOnly: false, allowsLargeFolios: rules.largeFolios.ext4,
      bypassesCache: true)
  }

  /// XFS.
  public static let xfs = FileTraits(
    fileSystem: "xfs", notifiesOfWrites: true, isMemoryOnly: false, allowsLargeFolios: true,
    bypassesCache: true)
}
