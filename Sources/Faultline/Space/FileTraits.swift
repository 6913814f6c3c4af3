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
  /// Whether readahead and write(2) may allocate folios of more than one page.
  public var allowsLargeFolios: Bool
  /// What a hole of a file in memory is filled with.
  public var fillsHoles: HoleFilling
  /// How much room a file gets on the device when it grows, and how a range of it is given up.
  public var allocation: Allocation
  /// Whether the file system answers faults for 2 MiB at once, if only by refusing: its mappings then count as
  /// eligible. Kernel: `vm_ops->huge_fault`.
  public var servesHugeFaults: Bool
  /// Whether file data goes through the journal. A sync of any part commits it, and a commit makes the entries of all
  /// dirty pages of the file read-only, also of those that it leaves dirty. ext4 mount option: `data=journal`.
  public var journalsData: Bool
  /// Whether the file system knows MAP_SYNC: it grants the flag on a file with DAX whose device is synchronous, and
  /// refuses it on others. The rest never look at it. Kernel: `FOP_MMAP_SYNC`.
  public var knowsMapSync: Bool
  /// Whether single pages of a file with DAX are faulted in under an area's own lock, where others need the address
  /// space's: a file system that maps what its cache has, if it had a cache, is asked under any. Kernel:
  /// `vmf_can_call_fault`.
  public var faultsUnderAreaLock: Bool
  /// Whether write(2) brings the program's pages in before it copies, whatever the rules say of other file systems.
  /// Kernel: `iomap_write_iter`.
  public var faultsBeforeWriting: Bool
  /// Whether O_DIRECT reads and writes go past the cache; other file systems serve them through it.
  public var bypassesCache: Bool
  /// The largest window in pages. Kernel: `ra_pages`, `read_ahead_kb` / 4; 0 turns readahead off.
  public var readaheadPages: UInt64
  /// The largest read the device takes at once, in pages. Kernel: `io_pages`, `max_sectors_kb` / 4.
  public var ioPages: UInt64

  /// What a touched hole of a file in memory is filled with.
  public enum HoleFilling: Sendable, Hashable {
    case singlePages
    /// 2 MiB at once, where nothing of it is there yet and memory allows; else single pages. tmpfs mount option:
    /// `huge=always`.
    case hugePages
  }

  /// How a file system deals with the blocks behind a file.
  public enum Allocation: Sendable, Hashable {
    /// What part of a range keeps is zeroed in the cache after the cache was cut.
    case plain
    /// As XFS: a growing file gets more room than it asks for, and a write goes in pieces that end with the room there
    /// is; what a cut page keeps is zeroed before truncation, and a range that is given up is written first and goes by
    /// whole pages.
    case extents
  }

  public init(
    fileSystem: String, notifiesOfWrites: Bool, isMemoryOnly: Bool, allowsLargeFolios: Bool,
    fillsHoles: HoleFilling = .singlePages, allocation: Allocation = .plain, servesHugeFaults: Bool = false,
    journalsData: Bool = false, knowsMapSync: Bool = false, faultsUnderAreaLock: Bool = false,
    faultsBeforeWriting: Bool = false, bypassesCache: Bool = false, readaheadPages: UInt64 = 32, ioPages: UInt64 = 320
  ) {
    self.fileSystem = fileSystem
    self.notifiesOfWrites = notifiesOfWrites
    self.isMemoryOnly = isMemoryOnly
    self.allowsLargeFolios = allowsLargeFolios
    self.fillsHoles = fillsHoles
    self.allocation = allocation
    self.servesHugeFaults = servesHugeFaults
    self.journalsData = journalsData
    self.knowsMapSync = knowsMapSync
    self.faultsUnderAreaLock = faultsUnderAreaLock
    self.faultsBeforeWriting = faultsBeforeWriting
    self.bypassesCache = bypassesCache
    self.readaheadPages = readaheadPages
    self.ioPages = ioPages
  }

  /// tmpfs with `huge=never`.
  public static let tmpfs = FileTraits(
    fileSystem: "tmpfs", notifiesOfWrites: false, isMemoryOnly: true, allowsLargeFolios: false, readaheadPages: 0)

  /// tmpfs with `huge=always`.
  public static let tmpfsHuge = FileTraits(
    fileSystem: "tmpfsh", notifiesOfWrites: false, isMemoryOnly: true, allowsLargeFolios: true, fillsHoles: .hugePages,
    readaheadPages: 0)

  /// ext4 with `data=journal`: single pages only.
  public static let ext4Journal = FileTraits(
    fileSystem: "ext4j", notifiesOfWrites: true, isMemoryOnly: false, allowsLargeFolios: false,
    journalsData: true, knowsMapSync: true)

  /// ext4 under these rules.
  public static func ext4(_ rules: KernelRules) -> FileTraits {
    FileTraits(
      fileSystem: "ext4", notifiesOfWrites: true, isMemoryOnly: false, allowsLargeFolios: rules.largeFolios.ext4,
      knowsMapSync: true, bypassesCache: true)
  }

  /// XFS.
  public static let xfs = FileTraits(
    fileSystem: "xfs", notifiesOfWrites: true, isMemoryOnly: false, allowsLargeFolios: true,
    allocation: .extents, servesHugeFaults: true, knowsMapSync: true, faultsBeforeWriting: true,
    bypassesCache: true)

  /// ext4 with `dax=always`: pages are mapped where they lie on the device.
  public static let ext4Direct = FileTraits(
    fileSystem: "ext4dax", notifiesOfWrites: true, isMemoryOnly: false, allowsLargeFolios: false, knowsMapSync: true,
    readaheadPages: 0)

  /// XFS with `dax=always`.
  public static let xfsDirect = FileTraits(
    fileSystem: "xfsdax", notifiesOfWrites: true, isMemoryOnly: false, allowsLargeFolios: false,
    allocation: .extents, knowsMapSync: true, faultsUnderAreaLock: true, readaheadPages: 0)

  /// A device that is mapped as a whole, without a file system: its entries let stores through from the start, for
  /// nobody wants to hear of them. Kernel: device-dax.
  public static let device = FileTraits(
    fileSystem: "devdax", notifiesOfWrites: false, isMemoryOnly: false, allowsLargeFolios: false, knowsMapSync: true,
    readaheadPages: 0)
}
