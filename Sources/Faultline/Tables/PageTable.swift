/// The page tables of one address space: four levels of 512 entries, as x86-64 has them.
///
/// A handle on raw memory, copied freely; the ``AddressSpace`` that made it destroys it.
struct PageTable {
  /// One table at any level.
  struct Table: Equatable {
    let entries: WordPointer
  }

  let root: Table
  let memory: TableMemory
  let state: UnsafeMutablePointer<State>

  /// What the copies of this value share.
  struct State: ~Copyable {
    /// Guards the entries above the leaves. Kernel: `page_table_lock`.
    let upperLock = SpinLock()
    /// Entered pages of files. Kernel: `MM_FILEPAGES` and `MM_SHMEMPAGES`.
    let filePages = AtomicWord(0)
    /// Entered pages of private memory. Kernel: `MM_ANONPAGES`.
    let privatePages = AtomicWord(0)
  }

  init(memory: TableMemory) throws(KernelError) {
    guard let root = memory.allocate() else { throw KernelError(.ENOMEM, "no memory for a page table") }
    self.root = root
    self.memory = memory
    state = .allocate(capacity: 1)
    state.initialize(to: State())
  }

  /// Frees every table. All leaf entries must be none already.
  func destroy() {
    freeTree(root, level: 3)
    state.deinitialize(count: 1)
    state.deallocate()
  }

  // MARK: Walks

  /// Position of `page` in the table at `level`: 0 is a leaf, 3 the root.
  @inline(__always)
  static func slot(ofPage page: UInt64, level: UInt64) -> Int { Int(page >> (9 &* level) & 511) }

  /// The table that an entry above the leaves points to.
  @inline(__always)
  static func child(_ entry: UInt64) -> Table? {
    guard entry & PageTableEntry.presentBit != 0 else { return nil }
    return Table(entries: WordPointer(bitPattern: UInt(entry & ~PageTableEntry.presentBit)).unsafelyUnwrapped)
  }

  @inline(__always)
  private static func entry(for table: Table) -> UInt64 {
    UInt64(UInt(bitPattern: table.entries)) | PageTableEntry.presentBit
  }

  /// The leaf table that covers `page`, without locks; `nil` when there is none (the middle entry is none).
  @inline(__always)
  func leaf(forPage page: UInt64) -> Table? {
    guard let upper = Self.child(root.entries[Self.slot(ofPage: page, level: 3)].load(ordering: .acquiring)),
      let middle = Self.child(upper.entries[Self.slot(ofPage: page, level: 2)].load(ordering: .acquiring))
    else { return nil }
    return Self.child(middle.entries[Self.slot(ofPage: page, level: 1)].load(ordering: .acquiring))
  }

  /// The leaf entry of `page`, without locks; `nil` when its table does not exist.
  @inline(__always)
  func entryPointer(forPage page: UInt64) -> WordPointer? {
    guard let leaf = leaf(forPage: page) else { return nil }
    return leaf.entries + Self.slot(ofPage: page, level: 0)
  }

  @inline(__always)
  func lock(of leaf: Table) -> UnsafeMutablePointer<TableMemory.Metadata> { memory.metadata(of: leaf) }

  // MARK: Growing and shrinking

  /// Allocates the tables above the leaf of `page`. Kernel: `p4d_alloc`, `pud_alloc`, `pmd_alloc`.
  ///
  /// - Returns: `false` when there is no memory.
  func allocateUpperTables(forPage page: UInt64) -> Bool {
    var table = root
    for level: UInt64 in [3, 2] {
      let slot = Self.slot(ofPage: page, level: level)
      if let next = Self.child(table.entries[slot].load(ordering: .acquiring)) {
        table = next
        continue
      }
      guard let new = memory.allocate() else { return false }
      guard let next = install(new, in: table, slot: slot) else {
        table = new
        continue
      }
      memory.free(new)
      table = next
    }
    return true
  }

  /// Enters `leaf` as the leaf table of `page` if there still is none. Kernel: `pmd_install`.
  ///
  /// - Returns: whether the table was used; otherwise it stays the caller's.
  func install(leaf: Table, forPage page: UInt64) -> Bool {
    guard let upper = Self.child(root.entries[Self.slot(ofPage: page, level: 3)].load(ordering: .acquiring)),
      let middle = Self.child(upper.entries[Self.slot(ofPage: page, level: 2)].load(ordering: .acquiring))
    else { return false }
    return install(leaf, in: middle, slot: Self.slot(ofPage: page, level: 1)) == nil
  }

  /// Enters a table in a slot of another. Returns the table that was there first, if one was.
  private func install(_ new: Table, in table: Table, slot: Int) -> Table? {
    state.pointee.upperLock.withLock {
      #if DEBUG || ModelCheck
        if memory.switches?.has(.skipsTableCheck) == true {
          table.entries[slot].store(Self.entry(for: new), ordering: .releasing)
          return nil
        }
      #endif
      if let first = Self.child(table.entries[slot].load(ordering: .relaxed)) { return first }
      table.entries[slot].store(Self.entry(for: new), ordering: .releasing)
      return nil
    }
  }

  /// Frees the leaf tables that cover nothing outside `pages`, which must be aligned to tables and all none.
  func freeLeaves(covering pages: Range<UInt64>) {
    var page = pages.lowerBound
    while page < pages.upperBound {
      if let upper = Self.child(root.entries[Self.slot(ofPage: page, level: 3)].load(ordering: .relaxed)),
        let middle = Self.child(upper.entries[Self.slot(ofPage: page, level: 2)].load(ordering: .relaxed))
      {
        let slot = Self.slot(ofPage: page, level: 1)
        let leaf = state.pointee.upperLock.withLock {
          Self.child(middle.entries[slot].exchange(0, ordering: .acquiringAndReleasing))
        }
        if let leaf { memory.retire(leaf) }
      }
      page = nextTable(after: page, limit: pages.upperBound)
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
