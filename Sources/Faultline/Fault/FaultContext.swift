/// One attempt at one fault: what was asked, what was found, what was taken. Kernel: `struct vm_fault`.
///
/// Lives on the faulting thread's stack. Its end gives back the spare table if nobody used it.
struct FaultContext: ~Copyable {
  let space: AddressSpace
  let area: VMAPointer
  /// The faulting page of the address space.
  let page: UInt64
  /// The same page in the file.
  let filePage: UInt64
  var flags: FaultFlags
  /// The entry as it was read without its lock; `nil` when its table did not exist.
  var seen: PageTableEntry?
  /// See ``FaultTask/arriving``.
  var arriving: UInt64
  /// A leaf table that was allocated before any folio was locked. Kernel: `prealloc_pte`.
  private var spareTable: PageTable.Table?
  /// The file, once the lock that kept the area from going was dropped. Kernel: `fpin`.
  private var keptFile: OpenFile?

  @inline(__always)
  init(space: AddressSpace, area: VMAPointer, page: UInt64, flags: FaultFlags, arriving: UInt64) {
    self.space = space
    self.area = area
    self.page = page
    self.filePage = area.filePage(of: page)
    self.flags = flags
    self.arriving = arriving
    seen = nil
    spareTable = nil
    keptFile = nil
  }

  /// Keeps the area's file alive to the end of the attempt: from now on the area may go.
  mutating func keepFile() { keptFile = area.file }

  deinit {
    #if DEBUG || ModelCheck
      if space.machine.switches.has(.keepsSpareTable) { return }
    #endif
    if let spareTable { space.machine.tables.free(spareTable) }
  }

  @inline(__always)
  var isWrite: Bool { flags.contains(.write) }

  /// Sees to it that a table can be entered later without allocating. Kernel: `pte_alloc_one` into `prealloc_pte`.
  ///
  /// - Returns: `false` when there is no memory.
  mutating func prepareTable() -> Bool {
    if spareTable == nil, space.table.leaf(forPage: page) == nil {
      guard let table = space.machine.tables.allocate() else { return false }
      spareTable = table
    }
    return true
  }

  /// The leaf table of the page, entering the spare one where there is none. `nil`: none there and none spare.
  mutating func installTable() -> PageTable.Table? {
    if let leaf = space.table.leaf(forPage: page) { return leaf }
    guard let table = spareTable else { return nil }
    // Another thread's table may have come first; ours then stays spare.
    if space.table.install(leaf: table, forPage: page) { spareTable = nil }
    return space.table.leaf(forPage: page)
  }

  /// Whether an entry under its lock is still what this attempt decided upon.
  @inline(__always)
  func isUnchanged(_ entry: PageTableEntry) -> Bool {
    #if DEBUG || ModelCheck
      if space.machine.switches.has(.skipsEntryCheck) { return true }
    #endif
    return entry == (seen ?? .none)
  }
}
