/// What differs between kernels, as numbers and choices. Every field can be overridden; no station asks for a version.
public struct KernelRules: Sendable, Hashable {
  /// How users name the set, such as `6.18`.
  public var name: String
  /// Bytes that a read fault tries to map around it: a power of two, at least a page (which turns fault-around off) and
  /// at most 2 MiB. Kernel: debugfs `fault_around_bytes`.
  public var faultAroundBytes: UInt64
  /// Whether a user-mode fault on a file mapping is first tried under the VMA's own lock (6.7 and later). What is
  /// retried after that without I/O counts as minor; without this lock it counts as major.
  public var usesVMALockForFiles: Bool
  /// Whether fault-around clips its window to the file's last page before it looks at the cache, and then installs no
  /// page table when the first folio ends exactly there (6.18, late 6.12.y).
  public var clipsAroundToFileEnd: Bool
  /// Whether pages that reclaim once evicted in use do not count against `mmap_miss` (6.10 and later).
  public var missSkipsWorkingset: Bool
  /// Whether a fault that finds its folio locked leaves `mmap_miss` alone (6.18).
  public var missSkipsLocked: Bool
  /// How window sizes and markers are computed.
  public var readahead: ReadaheadRules
  /// Whether the entries that fault-around adds are old until they are used. True only on arm64 with hardware access
  /// flags.
  public var prefaultsOld: Bool
  /// Whether mremap moves a range of several areas at once (6.17 and later).
  public var remapsSeveralAreas: Bool
  /// Whether an area without private copies may take in one that has some, when a change makes the two alike (6.16 and
  /// later). Kernel: `is_mergeable_anon_vma`.
  public var mergesIntoUncopiedAreas: Bool
  /// Whether MADV_POPULATE_READ and _WRITE mark the fault that they repeat after a read, so that it counts as major
  /// (6.9 and later).
  public var populateAdviceMarksRetries: Bool
  /// Whether growing a file zeroes what lies behind its old end in the last page (6.13 and later).
  public var zeroesTailOnGrowth: Bool
  /// Whether `VmFlags` has a name for memory that is locked on fault.
  public var namesLockOnFault: Bool
  /// Whether MADV_GUARD_INSTALL and _REMOVE work on all memory (6.15 and later).
  public var hasGuardPages: Bool
  /// Whether an area with guard pages carries a flag, which `VmFlags` shows as `gu` (late 6.18.y). Without it guards in
  /// a mapping of a file make the area one with private copies.
  public var marksGuardedAreas: Bool
  /// Whether page-cache faults, fault-around and readahead have trace events (the first two from 6.12, all in 6.18).
  public var tracesPageCache: Bool
  /// Whether files in memory can be opened with O_DIRECT (6.6 and later); they are served through the cache then.
  public var opensMemoryFilesDirectly: Bool
  /// Whether direct reads and writes pin the program's memory, so that private pages shared with a fork are copied
  /// before they are read from (6.3 and later). Kernel: `iov_iter_extract_pages`.
  public var directAccessPins: Bool
  /// Whether a program can be told which of its pages are the zero page and which are mapped by one huge entry (6.7 and
  /// later). Kernel: `PAGEMAP_SCAN`.
  public var hasPagemapScan: Bool
  /// Whether stores since a program last asked are tracked, which marks every area. A choice of the kernel's
  /// configuration. Kernel: `CONFIG_MEM_SOFT_DIRTY`.
  public var tracksSoftDirty: Bool
  /// Whether MAP_STACK keeps huge pages out of an area (6.7 and later).
  public var stackForbidsHuge: Bool
  /// Whether MAP_SHARED_VALIDATE knows MAP_ABOVE4G (6.6 and later).
  public var knowsAbove4GiB: Bool
  /// Whether there is MAP_DROPPABLE (6.11 and later).
  public var hasDroppableMemory: Bool
  /// How the kernel copies from and to a program, which shows in the faults that are traced.
  public var copies: CopyRules
  /// Where large folios come from, and how they are mapped.
  public var largeFolios: LargeFolioRules
  /// When memory is mapped 2 MiB at once.
  public var hugePages: HugePageRules
  /// How pages are taken hold of.
  public var holds: HoldRules
  /// What differs on files with DAX.
  public var direct: DirectRules

  /// The generations of readahead arithmetic.
  public struct ReadaheadRules: Sendable, Hashable {
    /// 6.1's rule for a first window: everything that was not asked for is asynchronous, and a window that would start
    /// with its own marker is merged with the next. Later kernels halve the window instead.
    public var mergesSelfHit: Bool
    /// Whether the order grows by two with each asynchronous window and window ends are aligned to it (6.16 and later).
    public var alignsToOrder: Bool
    /// Whether an area with execute permission reads on from the fault instead of around it (6.16 and later), and is
    /// read ahead even under MADV_RANDOM.
    public var executableReadsForward: Bool
    /// Whether every window of four pages or more asks for folios four times as large as the one it follows, a first
    /// window for four pages (up to 6.15). Later a first window asks for single pages.
    public var raisesEveryOrder: Bool
    /// Whether readahead makes no folios of two pages, but single ones (up to 6.7).
    public var makesNoPairs: Bool
  }

  /// How bytes are copied from and to a program.
  public struct CopyRules: Sendable, Hashable {
    /// Whether write(2) copies with faults switched off first and brings the page in only when that failed (6.15 and
    /// later); file systems may differ, see ``FileTraits/faultsBeforeWriting``.
    public var triesWithoutFaulting: Bool
    /// Whether a copy that failed is tried again byte by byte, which faults once more.
    public var repeatsFailedBytes: Bool
  }

  /// Where large folios in the page cache come from, and how they are mapped.
  public struct LargeFolioRules: Sendable, Hashable {
    /// Whether ext4 makes them (6.16 and later). XFS does in all kernels that the rules know.
    public var ext4: Bool
    /// Whether a fault maps all of a folio that its area and its page table hold (6.18), or only what lies in the
    /// window.
    public var mapsWhole: Bool
    /// Whether write(2) makes folios as large as what is written (6.6 and later).
    public var writesMakeThem: Bool
    /// Whether a split leaves large parts on both sides of the page that it is for (6.15 and later); else every page is
    /// a folio of its own afterwards.
    public var splitsAroundPage: Bool
    /// Whether a folio that truncation or a hole cannot split loses all of its entries, unless it lies in memory only
    /// (6.18).
    public var unmapsUnsplit: Bool
    /// Whether a fault on a file in memory makes a huge folio only where the area could map it as one (6.11 and later).
    public var hugeNeedsSuitableArea: Bool
    /// Whether write(2) and fallocate(2) fill a hole of such a file with smaller folios where 2 MiB do not fit (6.14
    /// and later).
    public var writesTrySmaller: Bool
  }

  /// When memory is mapped 2 MiB at once.
  public struct HugePageRules: Sendable, Hashable {
    /// The choice in `/sys/kernel/mm/transparent_hugepage/enabled`.
    public enum Choice: Sendable, Hashable {
      case always, madvise, never
    }

    /// For private memory without a file.
    public var privateMemory: Choice
    /// Whether MADV_NOHUGEPAGE also keeps folios of the page cache from being mapped at once (6.11 and later).
    public var adviceForbidsCached: Bool
    /// Whether a store to the huge page of zeroes gets a huge page (6.13 and later) or splits it.
    public var replacesHugeZero: Bool
    /// Whether MADV_COLLAPSE of a file maps the page that it made only over a page table, and else fails with it made
    /// (6.1).
    public var collapseNeedsTable: Bool

    /// Whether private memory with these flags may be huge. Kernel: `thp_vma_allowable_order`.
    func allowsPrivate(_ flags: VMAFlags) -> Bool {
      if flags.contains(.noHugePage) { return false }
      return privateMemory == .always || privateMemory == .madvise && flags.contains(.hugePage)
    }
  }

  /// Which file systems flush what is dirty in a range of a file with DAX before it becomes a hole.
  public enum HoleFlushing: Sendable, Hashable {
    /// All (6.1).
    case always
    /// XFS (6.12).
    case extents
    /// None: what is in use was waited for, and the rest goes with the range (6.15 and later).
    case never
  }

  /// What differs between kernels on files whose pages are a device's own.
  public struct DirectRules: Sendable, Hashable {
    /// Whether a load marks its page dirty too, so that a sync flushes it (6.0 and 6.1).
    public var tagsReads: Bool
    /// Whether a device's pages are counted like others (6.15 and later). Before, programs that asked what they have
    /// mapped were told of no page of a file, and of none in `smaps`.
    public var countsPages: Bool
    /// Whether `smaps` counts 2 MiB of a device as one page (6.1).
    public var countsHugeAsPage: Bool
    /// Whether a store that finds another page of the device entered ends in a signal (6.15 and later) or is made
    /// again.
    public var refusesOtherPage: Bool
    /// Whether a private mapping's store to 2 MiB asks the file first, which declines (6.1).
    public var asksForPrivateHuge: Bool
    /// Which file systems flush what is dirty in a range before it becomes a hole.
    public var flushesHoles: HoleFlushing
    /// Whether XFS flushes the page of a file's new end before it cuts the file there (6.1).
    public var flushesNewEnd: Bool
    /// Whether damage of the medium is told from other failures by the signal's code (6.6 and later).
    public var reportsDamage: Bool
    /// Pages around a synchronous store to a hole, or to unwritten blocks, that get blocks in the same commit, so that
    /// stores to them need none: a power of two, 1 (only the page itself, as every kernel) to 512. The window lies as
    /// that of fault-around does.
    public var syncWindowPages: UInt64 = 1
  }

  /// Linux 6.1.
  public static let linux6_1 = KernelRules(
    name: "6.1", faultAroundBytes: 65536, usesVMALockForFiles: false, clipsAroundToFileEnd: false,
    missSkipsWorkingset: false, missSkipsLocked: false,
    readahead: ReadaheadRules(
      mergesSelfHit: true, alignsToOrder: false, executableReadsForward: false, raisesEveryOrder: true,
      makesNoPairs: true),
    prefaultsOld: false, remapsSeveralAreas: false, mergesIntoUncopiedAreas: false, populateAdviceMarksRetries: false,
    zeroesTailOnGrowth: false, namesLockOnFault: false, hasGuardPages: false, marksGuardedAreas: false,
    tracesPageCache: false,
    opensMemoryFilesDirectly: false, directAccessPins: false,
    hasPagemapScan: false, tracksSoftDirty: true,
    stackForbidsHuge: false, knowsAbove4GiB: false, hasDroppableMemory: false,
    copies: CopyRules(triesWithoutFaulting: false, repeatsFailedBytes: true),
    largeFolios: LargeFolioRules(
      ext4: false, mapsWhole: false, writesMakeThem: false, splitsAroundPage: false, unmapsUnsplit: false,
      hugeNeedsSuitableArea: false, writesTrySmaller: false),
    hugePages: HugePageRules(
      privateMemory: .always, adviceForbidsCached: false, replacesHugeZero: false, collapseNeedsTable: true),
    holds: HoldRules(stepsHugeByPage: true, stepsDeviceByPage: true, sharesPageStep: true, refusesLongStores: false),
    direct: DirectRules(
      tagsReads: true, countsPages: false, countsHugeAsPage: true, refusesOtherPage: false, asksForPrivateHuge: true,
      flushesHoles: .always,
      flushesNewEnd: true, reportsDamage: false))

  /// Linux 6.12.
  public static let linux6_12 = KernelRules(
    name: "6.12", faultAroundBytes: 65536, usesVMALockForFiles: true, clipsAroundToFileEnd: false,
    missSkipsWorkingset: true, missSkipsLocked: false,
    readahead: ReadaheadRules(
      mergesSelfHit: false, alignsToOrder: false, executableReadsForward: false, raisesEveryOrder: true,
      makesNoPairs: false),
    prefaultsOld: false, remapsSeveralAreas: false, mergesIntoUncopiedAreas: false, populateAdviceMarksRetries: true,
    zeroesTailOnGrowth: false, namesLockOnFault: true, hasGuardPages: false, marksGuardedAreas: false,
    tracesPageCache: true,
    opensMemoryFilesDirectly: true, directAccessPins: true,
    hasPagemapScan: true, tracksSoftDirty: true,
    stackForbidsHuge: true, knowsAbove4GiB: true, hasDroppableMemory: true,
    copies: CopyRules(triesWithoutFaulting: false, repeatsFailedBytes: false),
    largeFolios: LargeFolioRules(
      ext4: false, mapsWhole: false, writesMakeThem: true, splitsAroundPage: false, unmapsUnsplit: false,
      hugeNeedsSuitableArea: true, writesTrySmaller: false),
    hugePages: HugePageRules(
      privateMemory: .always, adviceForbidsCached: true, replacesHugeZero: false, collapseNeedsTable: false),
    holds: HoldRules(stepsHugeByPage: false, stepsDeviceByPage: true, sharesPageStep: false, refusesLongStores: true),
    direct: DirectRules(
      tagsReads: false, countsPages: false, countsHugeAsPage: false, refusesOtherPage: false, asksForPrivateHuge: false,
      flushesHoles: .extents,
      flushesNewEnd: false, reportsDamage: true))

  /// Linux 6.18.
  public static let linux6_18 = KernelRules(
    name: "6.18", faultAroundBytes: 65536, usesVMALockForFiles: true, clipsAroundToFileEnd: true,
    missSkipsWorkingset: true, missSkipsLocked: true,
    readahead: ReadaheadRules(
      mergesSelfHit: false, alignsToOrder: true, executableReadsForward: true, raisesEveryOrder: false,
      makesNoPairs: false),
    prefaultsOld: false, remapsSeveralAreas: true, mergesIntoUncopiedAreas: true, populateAdviceMarksRetries: true,
    zeroesTailOnGrowth: true, namesLockOnFault: true, hasGuardPages: true, marksGuardedAreas: true,
    tracesPageCache: true,
    opensMemoryFilesDirectly: true, directAccessPins: true,
    hasPagemapScan: true, tracksSoftDirty: false,
    stackForbidsHuge: true, knowsAbove4GiB: true, hasDroppableMemory: true,
    copies: CopyRules(triesWithoutFaulting: true, repeatsFailedBytes: false),
    largeFolios: LargeFolioRules(
      ext4: true, mapsWhole: true, writesMakeThem: true, splitsAroundPage: true, unmapsUnsplit: true,
      hugeNeedsSuitableArea: true, writesTrySmaller: true),
    hugePages: HugePageRules(
      privateMemory: .madvise, adviceForbidsCached: true, replacesHugeZero: true, collapseNeedsTable: false),
    holds: HoldRules(stepsHugeByPage: false, stepsDeviceByPage: false, sharesPageStep: false, refusesLongStores: true),
    direct: DirectRules(
      tagsReads: false, countsPages: true, countsHugeAsPage: false, refusesOtherPage: true, asksForPrivateHuge: false,
      flushesHoles: .never,
      flushesNewEnd: false, reportsDamage: true))

  /// Linux 6.18 and, beyond any kernel, a window of 16 pages around synchronous stores: what the engine recommends
  /// where nothing has to be as a kernel does it.
  public static let faultline: KernelRules = {
    var rules = linux6_18
    rules.name = "faultline"
    rules.direct.syncWindowPages = 16
    return rules
  }()

  /// Every kernel's set, oldest first.
  public static let all: [KernelRules] = [.linux6_1, .linux6_12, .linux6_18]

  /// `bytes` as the kernel's knob takes it: rounded down to a power of two between a page and 2 MiB.
  public static func roundedFaultAround(bytes: UInt64) -> UInt64 {
    let clamped = min(max(bytes, PageSize.bytes), PageSize.bytes * PageSize.entriesPerTable)
    return 1 << UInt64(63 - clamped.leadingZeroBitCount)
  }
}
