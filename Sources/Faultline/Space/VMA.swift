/// # Space
///
/// Address spaces: areas, the tree that orders them, and the system calls that change them.
///
/// Laws
/// 1. Areas never overlap; the tree orders them by address.
/// 2. An area's borders, flags and file offset change only under the address space's lock, held exclusively.
/// 3. An area is in its file's list of areas exactly while it is in the tree.
/// 4. What an area's end gives up is unmapped before the area shrinks: no present entry lies outside all areas.
///
/// Lock order: the address space's lock (kernel: `mmap_lock`), then everything in `Cache/`, then `Tables/`.
///
/// This folder calls `Fault/`, `Cache/`, `Tables/`, `Memory/` and `Sync/`.

/// What an area is and allows, with the kernel's numbers. Kernel: `vm_flags`.
public struct VMAFlags: OptionSet, Hashable, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public static let read = VMAFlags(rawValue: 0x1)
  public static let write = VMAFlags(rawValue: 0x2)
  public static let execute = VMAFlags(rawValue: 0x4)
  /// Stores go to the file. A shared mapping of a descriptor that cannot write has only `mayShare`.
  public static let shared = VMAFlags(rawValue: 0x8)
  public static let mayRead = VMAFlags(rawValue: 0x10)
  public static let mayWrite = VMAFlags(rawValue: 0x20)
  public static let mayExecute = VMAFlags(rawValue: 0x40)
  public static let mayShare = VMAFlags(rawValue: 0x80)
  /// A stack: a fault below it makes it larger. Kernel: `VM_GROWSDOWN`.
  public static let growsDown = VMAFlags(rawValue: 0x100)
  /// Guard pages were installed here once; it stays when they go. Kernel: `VM_MAYBE_GUARD`.
  public static let mayGuard = VMAFlags(rawValue: 0x800)
  public static let locked = VMAFlags(rawValue: 0x2000)
  /// MADV_SEQUENTIAL
  public static let sequentialRead = VMAFlags(rawValue: 0x8000)
  /// MADV_RANDOM
  public static let randomRead = VMAFlags(rawValue: 0x10000)
  /// MADV_DONTFORK
  public static let dontCopy = VMAFlags(rawValue: 0x20000)
  /// MLOCK_ONFAULT: locked, but not brought in at once. Kernel: `VM_LOCKONFAULT`.
  public static let lockedOnFault = VMAFlags(rawValue: 0x80000)
  /// Counted against what the system may promise: private memory that was writable once. Kernel: `VM_ACCOUNT`.
  public static let accounted = VMAFlags(rawValue: 0x100000)
  public static let noReserve = VMAFlags(rawValue: 0x200000)
  /// MADV_DONTDUMP
  public static let dontDump = VMAFlags(rawValue: 0x400_0000)
  /// MADV_HUGEPAGE
  public static let hugePage = VMAFlags(rawValue: 0x2000_0000)
  /// MADV_NOHUGEPAGE
  public static let noHugePage = VMAFlags(rawValue: 0x4000_0000)
  /// MADV_WIPEONFORK
  public static let wipeOnFork = VMAFlags(rawValue: 0x2000000)
  /// May be lost when memory is short, which the engine's private memory never is. Kernel: `VM_DROPPABLE`.
  public static let droppable = VMAFlags(rawValue: 1 << 40)
  /// MAP_SYNC: what was stored survives a crash. Kernel: `VM_SYNC`.
  public static let sync = VMAFlags(rawValue: 0x800000)

  static let access: VMAFlags = [.read, .write, .execute]
  /// What does not keep two areas apart, and holds for the whole area that they become. Kernel: `VM_STICKY`.
  static let sticky: VMAFlags = .mayGuard

  /// Whether stores make private copies. Kernel: `is_cow_mapping`.
  var isCopyOnWrite: Bool { intersection([.shared, .mayWrite]) == .mayWrite }
}

/// An area: consecutive pages of an address space that map one file (or nothing) in one way. Kernel: `vm_area_struct`.
struct VMA: ~Copyable {
  /// The address space's number at the last change of this area. It lies first, so that a pointer to the area is one to
  /// this word. Kernel: `vm_lock_seq`.
  let changeSequence: AtomicWord
  /// First page, and one past the last.
  let start: AtomicWord
  let end: AtomicWord
  let flagWord: AtomicWord
  /// The file's page at `start`. Kernel: `vm_pgoff`.
  let filePage: AtomicWord
  /// The permission bits of new entries. Kernel: `vm_page_prot`.
  let entryPermissions: AtomicWord
  /// 0 while no private copies exist; else a number that areas share which were one when their copies began, and which
  /// may therefore become one again. Kernel: `anon_vma`.
  let privateFamily: AtomicWord
  /// Who holds the area's lock. Kernel: `vm_refcnt`.
  let readers: AtomicWord
  /// The file, which the area keeps alive; `nil` for anonymous memory.
  let file: Unmanaged<OpenFile>?
  let cache: PageCachePointer?
  let readahead: ReadaheadPointer?
  /// The address space that the area is part of; it outlives it. Kernel: `vm_mm`.
  let space: Unmanaged<AddressSpace>
  /// The space's table. Who comes from the file's side uses this and never the space itself: a reference on it could be
  /// the last, and a space that goes takes the locks that a reverse walk holds.
  let table: PageTable

  init(space: AddressSpace, pages: Range<UInt64>, flags: VMAFlags, filePage: UInt64, file: OpenFile?) {
    self.space = Unmanaged.passUnretained(space)
    table = space.table
    start = AtomicWord(pages.lowerBound)
    end = AtomicWord(pages.upperBound)
    flagWord = AtomicWord(flags.rawValue)
    self.filePage = AtomicWord(filePage)
    entryPermissions = AtomicWord(0)
    privateFamily = AtomicWord(0)
    changeSequence = AtomicWord(0)
    readers = AtomicWord(1)
    self.file = file.map { Unmanaged.passRetained($0) }
    cache = file?.node.cache
    readahead = file?.readahead
  }
}

extension VMA {
  /// What the area is at this moment, for a fault that holds no lock: whether its parts belong together, only the
  /// sequence numbers tell.
  @inline(__always)
  init(copying area: VMAPointer) {
    start = AtomicWord(area.start)
    end = AtomicWord(area.end)
    flagWord = AtomicWord(area.flags.rawValue)
    filePage = AtomicWord(area.pointee.filePage.load(ordering: .relaxed))
    entryPermissions = AtomicWord(area.pointee.entryPermissions.load(ordering: .relaxed))
    privateFamily = AtomicWord(area.privateFamily)
    changeSequence = AtomicWord(0)
    readers = AtomicWord(0)
    file = area.pointee.file
    cache = area.pointee.cache
    readahead = area.pointee.readahead
    space = area.pointee.space
    table = area.pointee.table
  }
}

typealias VMAPointer = UnsafeMutablePointer<VMA>

extension VMAPointer {
  @inline(__always)
  var start: UInt64 { pointee.start.load(ordering: .relaxed) }

  @inline(__always)
  var end: UInt64 { pointee.end.load(ordering: .relaxed) }

  var pages: Range<UInt64> { start..<end }

  @inline(__always)
  var flags: VMAFlags { VMAFlags(rawValue: pointee.flagWord.load(ordering: .relaxed)) }

  @inline(__always)
  var privateFamily: UInt64 { pointee.privateFamily.load(ordering: .relaxed) }

  /// The file page that `page` of the address space shows.
  @inline(__always)
  func filePage(of page: UInt64) -> UInt64 {
    pointee.filePage.load(ordering: .relaxed) &+ (page &- start)
  }

  var file: OpenFile? { pointee.file?.takeUnretainedValue() }

  @inline(__always)
  var traits: FileTraits? { file?.node.traits }

  /// Two of the traits without counting references to the file.
  @inline(__always)
  var notifiesOfWrites: Bool {
    pointee.cache?.pointee.node._withUnsafeGuaranteedRef { $0.traits.notifiesOfWrites } ?? false
  }

  /// Whether it maps a file with DAX. Kernel: `vma_is_dax`.
  @inline(__always)
  var isDirect: Bool { pointee.cache?.pointee.isDirect ?? false }

  /// The device that it maps as a whole, if any. Kernel: `dev_dax`.
  var device: DevicePageMap? { isDirect ? file?.node.device : nil }

  @inline(__always)
  var isMemoryOnly: Bool {
    pointee.cache?.pointee.node._withUnsafeGuaranteedRef { $0.traits.isMemoryOnly } ?? false
  }

  static func make(
    in space: AddressSpace, pages: Range<UInt64>, flags: VMAFlags, filePage: UInt64, file: OpenFile?
  ) -> VMAPointer {
    let area = CacheLines.allocate(for: VMA.self)
    area.initialize(to: VMA(space: space, pages: pages, flags: flags, filePage: filePage, file: file))
    area.setFlags(flags)
    return area
  }

  /// Frees the area's memory; its file was given back before.
  func destroy() {
    deinitialize(count: 1)
    #if ModelCheck
      FreedMemory.quarantine(self, byteCount: MemoryLayout<VMA>.stride)
    #else
      deallocate()
    #endif
  }

  /// Sets the flags and what follows from them for new entries. Kernel: `vma_set_page_prot`.
  func setFlags(_ flags: VMAFlags) {
    pointee.flagWord.store(flags.rawValue, ordering: .relaxed)
    pointee.entryPermissions.store(Self.permissions(flags, traits: traits), ordering: .relaxed)
  }

  /// Sets a flag that no permission follows from. Under the shared lock of the address space, where others may do the
  /// same.
  func addFlag(_ flag: VMAFlags) { pointee.flagWord.bitwiseOr(flag.rawValue, ordering: .relaxed) }

  /// A private area is entered read-only, so that the first store is seen and copied; so is a shared one whose file
  /// system wants to hear of it.
  private static func permissions(_ flags: VMAFlags, traits: FileTraits?) -> UInt64 {
    guard !flags.isDisjoint(with: .access) else { return PageTableEntry.noAccessBit }
    var bits = PageTableEntry.presentBit | PageTableEntry.userBit
    if flags.isSuperset(of: [.write, .shared]), traits?.notifiesOfWrites != true { bits |= PageTableEntry.writableBit }
    if !flags.contains(.execute) { bits |= PageTableEntry.noExecuteBit }
    return bits
  }
}
