/// Faults of one thread on files with DAX, by how their attempts went. A kernel tells the same by its `fs_dax` events, one by one.
public struct DirectFaultCounts: Hashable, Sendable {
  /// Attempts for one page. Kernel: `dax_pte_fault`.
  public internal(set) var pages: UInt64 = 0
  /// Attempts for 2 MiB, those that fell back included. Kernel: `dax_pmd_fault`.
  public internal(set) var huge: UInt64 = 0
  /// Attempts for 2 MiB that went on by single pages.
  public internal(set) var fallbacks = Fallbacks()
  /// Stores that met metadata which a crash would have lost, so that nothing was entered at first. Kernel: `VM_FAULT_NEEDDSYNC`.
  public internal(set) var needsDataSync: UInt64 = 0
  /// Syncs that such stores waited for, and that succeeded.
  public internal(set) var syncs: UInt64 = 0

  /// Why 2 MiB could not be entered at once.
  public struct Fallbacks: Hashable, Sendable {
    /// 2 MiB of the file and of the address space do not coincide.
    public internal(set) var misaligned: UInt64 = 0
    /// A private mapping's store copies a single page.
    public internal(set) var privateStore: UInt64 = 0
    public internal(set) var endOfArea: UInt64 = 0
    public internal(set) var endOfFile: UInt64 = 0
    /// A single page of them is known to the file already.
    public internal(set) var smallerEntry: UInt64 = 0
    /// Their blocks are too few, not aligned, or damaged in part.
    public internal(set) var blocks: UInt64 = 0
    /// The file system refused, or there was no memory.
    public internal(set) var other: UInt64 = 0

    public var total: UInt64 {
      misaligned &+ privateStore &+ endOfArea &+ endOfFile &+ smallerEntry &+ blocks &+ other
    }
  }

  public init() {}

  @inline(never)
  mutating func add(_ steps: DirectSteps) {
    if steps.contains(.page) { pages &+= 1 }
    if steps.contains(.huge) { huge &+= 1 }
    if steps.contains(.misaligned) { fallbacks.misaligned &+= 1 }
    if steps.contains(.privateStore) { fallbacks.privateStore &+= 1 }
    if steps.contains(.endOfArea) { fallbacks.endOfArea &+= 1 }
    if steps.contains(.endOfFile) { fallbacks.endOfFile &+= 1 }
    if steps.contains(.smallerEntry) { fallbacks.smallerEntry &+= 1 }
    if steps.contains(.blocks) { fallbacks.blocks &+= 1 }
    if steps.contains(.otherFallback) { fallbacks.other &+= 1 }
    if steps.contains(.needsDataSync) { needsDataSync &+= 1 }
    if steps.contains(.synced) { syncs &+= 1 }
  }
}

/// What one attempt at a fault on a file with DAX did, until the thread's counts take it in.
struct DirectSteps: OptionSet {
  let rawValue: UInt64

  static let page = DirectSteps(rawValue: 1 << 0)
  static let huge = DirectSteps(rawValue: 1 << 1)
  static let needsDataSync = DirectSteps(rawValue: 1 << 2)
  static let synced = DirectSteps(rawValue: 1 << 3)
  static let misaligned = DirectSteps(rawValue: 1 << 4)
  static let privateStore = DirectSteps(rawValue: 1 << 5)
  static let endOfArea = DirectSteps(rawValue: 1 << 6)
  static let endOfFile = DirectSteps(rawValue: 1 << 7)
  static let smallerEntry = DirectSteps(rawValue: 1 << 8)
  static let blocks = DirectSteps(rawValue: 1 << 9)
  static let otherFallback = DirectSteps(rawValue: 1 << 10)
}
