/// The page tables of one address space: four levels of 512 entries, as x86-64 has them.
///
/// A handle on raw memory, copied freely; the ``AddressSpace`` that made it destroys it.
struct PageTable {
  /// One table at any level.
  struct Table: Equatable {
    let entries: WordPointer
  }

  let root: Table
  /// Where tables come from. Outlives this handle, whose copies count no references to it.
  private let source: Unmanaged<TableMemory>
  let state: UnsafeMutablePointer<State>

  /// What the copies of this value share.
  struct State: ~Copyable {
    /// Entered pages of files. Kernel: `MM_FILEPAGES` and `MM_SHMEMPAGES`.
    let filePages = SpreadCounter()
    /// Entered pages of private memory. Kernel: `MM_ANONPAGES`.
    let privatePages = SpreadCounter()
    /// Those of files that huge entries map. Kernel: `FilePmdMapped` and `ShmemPmdMapped`, as `smaps` sums them.
    let hugeFilePages = AtomicWord(0)
  }

  init(memory: TableMemory) throws(KernelError) {
    guard let root = memory.allocate() else { throw KernelError(.ENOMEM, "no memory for a page table") }
    self.root = root
    source = .passUnretained(memory)
    state = .allocate(capacity: 1)
    state.initialize(to: State())
  }

  /// Frees every table. All leaf entries must be none already.
  func destroy() {
    freeTree(root, level: 3)
    state.pointee.filePages.destroy()
    state.pointee.privatePages.destroy()
    state.deinitialize(count: 1)
    state.deallocate()
  }

  var memory: TableMemory { source.takeUnretainedValue() }

  // MARK: Walks

  /// Position of `page` in the table at `level`: 0 is a leaf, 3 the root.
  @inline(__always)
  static func slot(ofPage page: UInt64, level: UInt64) -> Int { Int(page >> (9 &* level) & 511) }

  /// The table that an entry above the leaves points to; `nil` for none and for one that maps memory.
  @inline(__always)
  static func child(_ entry: UInt64) -> Table? {
    // Without its present bit the entry is the table's address: one test tells that it was there and the huge bit was not.
    let address = entry ^ PageTableEntry.presentBit
    guard address & (PageTableEntry.presentBit | PageTableEntry.hugeBit) == 0 else { return nil }
    return Table(entries: WordPointer(bitPattern: UInt(address)).unsafelyUnwrapped)
  }

  /// The same where no entry maps memory: in the root, and where the huge bit was looked at.
  @inline(__always)
  private static func certainChild(_ entry: UInt64) -> Table? {
    guard entry & PageTableEntry.presentBit != 0 else { return nil }
    return Table(entries: WordPointer(bitPattern: UInt(entry & ~PageTableEntry.presentBit)).unsafelyUnwrapped)
  }

  @inline(__always)
  private static func entry(for table: Table) -> UInt64 {
    UInt64(UInt(bitPattern: table.entries)) | PageTableEntry.presentBit
  }

  /// The middle entry of `page`, without locks; `nil` when there is no table for it, or a gigantic entry in its place.
  @inline(__always)
  func middle(forPage page: UInt64) -> MiddleEntry? {
    guard let upper = upperTable(forPage: page),
      let middle = Self.child(upper.entries[Self.slot(ofPage: page, level: 2)].load(ordering: .acquiring))
    else { return nil }
    return MiddleEntry(table: middle, pointer: middle.entries + Self.slot(ofPage: page, level: 1))
  }

  @inline(__always)
  func upperTable(forPage page: UInt64) -> Table? {
    Self.certainChild(root.entries[Self.slot(ofPage: page, level: 3)].load(ordering: .acquiring))
  }

  /// The leaf table that covers `page`, without locks; `nil` when there is none.
  @inline(__always)
  func leaf(forPage page: UInt64) -> Table? { middle(forPage: page)?.leaf }

  /// The entry that maps `page`, of any size, as it was seen without locks, and where; `nil` when there is no table for
  /// it.
  ///
  /// Where a huge entry was, a table's may be a moment later: look at ``PageTableEntry/isHuge`` of what is read there
  /// again.
  @inline(__always)
  func entry(forPage page: UInt64) -> (pointer: WordPointer, seen: UInt64)? {
    guard let upper = upper(forPage: page) else { return nil }
    let above = upper.pointer.pointee.load(ordering: .acquiring)
    guard let table = Self.child(above) else {
      return above & PageTableEntry.hugeBit == 0 ? nil : (upper.pointer, above)
    }
    let middle = table.entries + Self.slot(ofPage: page, level: 1)
    let word = middle.pointee.load(ordering: .acquiring)
    if word & PageTableEntry.hugeBit != 0 { return (middle, word) }
    guard let leaf = Self.certainChild(word) else { return nil }
    let pointer = leaf.entries + Self.slot(ofPage: page, level: 0)
    return (pointer, pointer.pointee.load(ordering: .relaxed))
  }

  @inline(__always)
  func lock(of table: Table) -> UnsafeMutablePointer<TableMemory.Metadata> {
    source._withUnsafeGuaranteedRef { $0.metadata(of: table) }
  }

  // MARK: Growing and shrinking

  /// Allocates the tables above the leaf of `page`. Kernel: `p4d_alloc`, `pud_alloc`, `pmd_alloc`.
  ///
  /// - Returns: the page's middle entry; `nil` when there is no memory, or where a gigantic entry stands.
  func allocateUpperTables(forPage page: UInt64) -> MiddleEntry? {
    if let middle = middle(forPage: page) { return middle }
    guard let upper = allocateTable(under: root, level: 3, page),
      let middle = allocateTable(under: upper, level: 2, page)
    else { return nil }
    return MiddleEntry(table: middle, pointer: middle.entries + Self.slot(ofPage: page, level: 1))
  }

  /// The table under the entry that a table of `level` has for `page`, made where none is.
  ///
  /// - Returns: `nil` when there is no memory, or where an entry maps memory.
  func allocateTable(under table: Table, level: UInt64, _ page: UInt64) -> Table? {
    let pointer = table.entries + Self.slot(ofPage: page, level: level)
    if let there = Self.child(pointer.pointee.load(ordering: .acquiring)) { return there }
    guard let new = memory.allocate() else { return nil }
    guard let there = install(new, at: pointer, of: table) else { return new }
    memory.free(new)
    return there == new ? nil : there
  }

  /// Enters `leaf` if nothing is entered there. Kernel: `pmd_install`.
  ///
  /// - Returns: whether the table was used; otherwise it stays the caller's.
  func install(leaf: Table, at middle: MiddleEntry) -> Bool {
    install(leaf, at: middle.pointer, of: middle.table) == nil
  }

  /// Enters a filled table where a huge entry was. The caller holds the lock of the middle table.
  func enter(_ leaf: Table, at middle: MiddleEntry) {
    middle.pointer.pointee.store(Self.entry(for: leaf), ordering: .releasing)
  }

  /// The leaf table of `page`, made with all above it where missing. `nil` without memory, or where a huge entry
  /// stands.
  func makeLeaf(forPage page: UInt64) -> Table? {
    guard let middle = allocateUpperTables(forPage: page) else { return nil }
    if middle.pointer.pointee.load(ordering: .acquiring) == 0 {
      guard let leaf = memory.allocate() else { return nil }
      if !install(leaf: leaf, at: middle) { memory.free(leaf) }
    }
    return middle.leaf
  }

  /// Enters a table in an empty entry of another. Returns what was there first: a table, or `new` itself for a huge
  /// entry.
  private func install(_ new: Table, at pointer: WordPointer, of table: Table) -> Table? {
    lock(of: table).pointee.lock.withLock {
      #if DEBUG || ModelCheck
        if memory.switches?.has(.skipsTableCheck) == true {
          pointer.pointee.store(Self.entry(for: new), ordering: .releasing)
          return nil
        }
      #endif
      let there = pointer.pointee.load(ordering: .relaxed)
      guard there == 0 else { return Self.child(there) ?? new }
      pointer.pointee.store(Self.entry(for: new), ordering: .releasing)
      return nil
    }
  }

  /// Frees the leaf tables that cover nothing outside `pages`, which must be aligned to tables and all none.
  func freeLeaves(covering pages: Range<UInt64>) {
    var page = pages.lowerBound
    while page < pages.upperBound {
      if let middle = middle(forPage: page), let leaf = takeLeaf(at: middle) { memory.retire(leaf) }
      page = nextTable(after: page, limit: pages.upperBound)
    }
  }

  /// Takes the leaf table out of a middle entry, if it has one. Its entries must all be none, or become so under its
  /// lock.
  func takeLeaf(at middle: MiddleEntry) -> Table? {
    lock(of: middle.table).pointee.lock.withLock {
      guard let leaf = middle.leaf else { return nil }
      middle.pointer.pointee.store(0, ordering: .releasing)
      return leaf
    }
  }

  /// Takes the leaf table out of a middle entry if all its entries are none. A fault that has found it looks again.
  func takeEmptyLeaf(at middle: MiddleEntry) -> Table? {
    guard let leaf = middle.leaf else { return nil }
    return lock(of: leaf).pointee.lock.withLock {
      #if DEBUG || ModelCheck
        if memory.switches?.has(.takesTableInUse) == true { return takeLeaf(at: middle) }
      #endif
      for slot in 0..<Int(PageSize.entriesPerTable) where leaf.entries[slot].load(ordering: .relaxed) != 0 {
        return nil
      }
      return takeLeaf(at: middle)
    }
  }

  private func freeTree(_ table: Table, level: Int) {
    for slot in 0..<512 where level > 0 {
      if let child = Self.child(table.entries[slot].exchange(0, ordering: .relaxed)) {
        freeTree(child, level: level - 1)
      }
    }
    memory.free(table)
  }
}

/// An entry of a middle table: none, a leaf table, or 2 MiB mapped at once. Kernel: `pmd_t *`. See also ``UpperEntry``.
struct MiddleEntry {
  let table: PageTable.Table
  let pointer: WordPointer

  /// The leaf table, if that is what is entered.
  @inline(__always)
  var leaf: PageTable.Table? { PageTable.child(pointer.pointee.load(ordering: .acquiring)) }

  @inline(__always)
  var isNone: Bool { pointer.pointee.load(ordering: .acquiring) == 0 }

  /// What is entered, as an entry that maps memory: look whether it is huge before anything else.
  @inline(__always)
  var entry: PageTableEntry { PageTableEntry(rawValue: pointer.pointee.load(ordering: .acquiring)) }
}
