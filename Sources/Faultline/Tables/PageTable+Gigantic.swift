/// # Gigantic entries
///
/// One entry of an upper table that maps 1 GiB: memory of a device that is mapped as a whole in pieces of that size.
///
/// Laws
/// 1. A gigantic entry is set only where nothing is entered, under its table's lock. A middle table that earlier
///    mappings left there is taken out when such an area is mapped, while no other area touches its 1 GiB.
/// 2. It is never split: whoever takes away part of what it maps takes all, and faults bring the rest back.
/// 3. A walk that meets one finds no middle table: ``PageTable/middle(forPage:)`` is `nil` there.
extension PageTable {
  /// Pages under one entry of an upper table. Kernel: `PTRS_PER_PUD` of base pages, `PUD_SIZE`.
  static let giganticPageCount: UInt64 = 1 << 18

  /// The upper entry of `page`, without locks; `nil` when there is no table for it.
  @inline(__always)
  func upper(forPage page: UInt64) -> UpperEntry? {
    guard let table = upperTable(forPage: page) else { return nil }
    return UpperEntry(table: table, pointer: table.entries + Self.slot(ofPage: page, level: 2))
  }

  /// The same, with its table made where none is; `nil` when there is no memory.
  func allocateUpperEntry(forPage page: UInt64) -> UpperEntry? {
    guard let table = allocateTable(under: root, level: 3, page) else { return nil }
    return UpperEntry(table: table, pointer: table.entries + Self.slot(ofPage: page, level: 2))
  }

  /// Sets a gigantic entry if nothing is entered. Says whether it did.
  func setGigantic(_ entry: PageTableEntry, at upper: UpperEntry) -> Bool {
    lock(of: upper.table).pointee.lock.withLock {
      guard upper.entry.isNone else { return false }
      upper.pointer.pointee.store(entry.rawValue, ordering: .releasing)
      return true
    }
  }

  /// Calls `body` with the gigantic entry that maps `page` and with its first page, under its table's lock.
  ///
  /// - Returns: where a walk up to `limit` goes on: at `page` again if the entry has changed before it was locked;
  ///   `nil` where none is.
  @inline(never)
  func visitGigantic(
    _ page: UInt64, limit: UInt64, _ body: (_ page: UInt64, _ entry: WordPointer) -> Void
  ) -> UInt64? {
    guard let upper = upper(forPage: page), upper.entry.isGigantic else { return nil }
    let mask = Self.giganticPageCount - 1
    return lock(of: upper.table).pointee.lock.withLock {
      guard upper.entry.isGigantic else { return page }
      body(page & ~mask, upper.pointer)
      return min(limit, (page | mask) &+ 1)
    }
  }

  /// Calls `body` with the gigantic entry that maps `page`, under its table's lock; `nil` where none is.
  func withGiganticEntry<Result>(ofPage page: UInt64, _ body: (WordPointer) -> Result) -> Result? {
    guard let upper = upper(forPage: page), upper.entry.isGigantic else { return nil }
    return lock(of: upper.table).pointee.lock.withLock { upper.entry.isGigantic ? body(upper.pointer) : nil }
  }

  /// Frees the middle tables of the whole GiB of `pages` in which nothing is mapped, so that gigantic entries can stand
  /// there. No other area touches them, and the address space is locked exclusively.
  func freeMiddles(covering pages: Range<UInt64>) {
    let span = Self.giganticPageCount
    // Areas beside the range may fault in a GiB that it covers in part.
    var page = (pages.lowerBound &+ span &- 1) & ~(span &- 1)
    while page &+ span <= pages.upperBound {
      if let upper = upper(forPage: page), let middle = takeEmptyMiddle(at: upper) { memory.retire(middle) }
      page &+= span
    }
  }

  private func takeEmptyMiddle(at upper: UpperEntry) -> Table? {
    lock(of: upper.table).pointee.lock.withLock {
      guard let middle = Self.child(upper.entry.rawValue) else { return nil }
      for slot in 0..<Int(PageSize.entriesPerTable) where middle.entries[slot].load(ordering: .relaxed) != 0 {
        return nil
      }
      upper.pointer.pointee.store(0, ordering: .releasing)
      return middle
    }
  }
}

/// An entry of an upper table: none, a middle table, or 1 GiB mapped at once. Kernel: `pud_t *`.
struct UpperEntry {
  let table: PageTable.Table
  let pointer: WordPointer

  /// What is entered, as an entry that maps memory: look whether it is gigantic before anything else.
  @inline(__always)
  var entry: PageTableEntry { PageTableEntry(rawValue: pointer.pointee.load(ordering: .acquiring)) }
}
