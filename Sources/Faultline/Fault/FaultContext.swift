/// One attempt at one fault: what was asked, what was found, what was taken. Kernel: `struct vm_fault`.
///
/// Lives on the faulting thread's stack.
struct FaultContext: ~Copyable {
  let table: PageTable
  /// The thread's place among the readers of the machine; `nil` for a context that looks nothing up.
  private let reader: EpochDomain.RecordPointer?
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
  /// What was done for a file with DAX.
  var direct: DirectSteps = []
  /// The middle entry that covers the page. Kernel: `vmf->pmd`.
  let middle: MiddleEntry
  /// What the attempt relies on instead of a lock; `nil` under one.
  var speculation: Speculation?
  /// A leaf table that was allocated before any folio was locked. Kernel: `prealloc_pte`.
  var spareTable: SpareTable?
  /// The file, once the lock that kept the area from going was dropped. Kernel: `fpin`.
  private var keptFile: OpenFile?

  @inline(__always)
  init(
    space: AddressSpace, area: VMAPointer, page: UInt64, flags: FaultFlags, middle: MiddleEntry, arriving: UInt64,
    reader: EpochDomain.RecordPointer? = nil, speculation: Speculation? = nil
  ) {
    table = space.table
    self.reader = reader
    self.area = area
    self.page = page
    self.filePage = area.filePage(of: page)
    self.flags = flags
    self.middle = middle
    self.arriving = arriving
    self.speculation = speculation
    seen = nil
    spareTable = nil
    keptFile = nil
  }

  /// Keeps the area's file alive to the end of the attempt: from now on the area may go.
  mutating func keepFile() { keptFile = area.file }

  /// Walks the cache without its lock: until `leaveCache` none of its nodes is freed.
  @inline(__always)
  func enterCache() { reader?.enter() }

  @inline(__always)
  func leaveCache() { reader?.exit() }

  /// The folio of the faulting page, with a reference on it.
  @inline(__always)
  func lookUp(in node: FileNode) -> FolioReference? {
    guard let reader else { return node.lookUp(filePage) }
    reader.enter()
    defer { reader.exit() }
    return node.lookUpInEpoch(filePage)
  }

  @inline(__always)
  var isWrite: Bool { flags.contains(.write) }

  /// Whether the attempt may wait for a read, or for who has a folio locked.
  @inline(__always)
  var mayWait: Bool { !flags.contains(.retryNoWait) }

  /// Sees to it that a table can be entered later without allocating. Kernel: `pte_alloc_one` into `prealloc_pte`.
  ///
  /// - Returns: `false` when there is no memory.
  mutating func prepareTable() -> Bool {
    guard !isSpeculative, middle.isNone, spareTable == nil else { return true }
    spareTable = SpareTable(memory: table.memory)
    return spareTable != nil
  }

  /// The leaf table of the page, entering the spare one where nothing is. `nil`: a huge entry stands there now, or
  /// there is no table and none spare.
  mutating func installTable() -> PageTable.Table? {
    if let leaf = middle.leaf { return leaf }
    if isSpeculative { _ = abort(.tableChanged) }
    if let spare = spareTable.take() { spareTable = spare.install(at: middle, of: table) }
    return middle.leaf
  }

  /// Locks the leaf table that was found, unless it has been taken out since, or what a speculative attempt relies on
  /// has changed. Kernel: `pte_map_lock`.
  @inline(__always)
  mutating func lock(_ leaf: PageTable.Table) -> Bool {
    let lock = table.lock(of: leaf)
    lock.pointee.lock.lock()
    if middle.leaf != leaf {
      _ = abort(.tableChanged)
    } else if areaHolds() {
      return true
    }
    lock.pointee.lock.unlock()
    return false
  }

  /// Whether an entry under its lock is still what this attempt decided upon.
  @inline(__always)
  func isUnchanged(_ entry: PageTableEntry) -> Bool {
    #if DEBUG || ModelCheck
      if table.memory.switches?.has(.skipsEntryCheck) == true { return true }
    #endif
    return entry == (seen ?? .none)
  }
}
