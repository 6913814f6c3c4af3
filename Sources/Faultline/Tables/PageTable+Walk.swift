extension PageTable {
  /// Calls `body` with each entry that is not none in `pages`, under the lock of its table, in address order.
  ///
  /// A huge or gigantic entry that maps any of `pages` comes once, with its own first page; who wants less of it splits
  /// it before. `body` may change the entry. It must not block and must not lock another table.
  func forEachEntry(in pages: Range<UInt64>, _ body: (_ page: UInt64, _ entry: WordPointer) -> Void) {
    var page = pages.lowerBound
    while page < pages.upperBound {
      let tableEnd = min(pages.upperBound, (page | (PageSize.entriesPerTable - 1)) &+ 1)
      guard let middle = middle(forPage: page), !middle.isNone else {
        page = visitGigantic(page, limit: pages.upperBound, body) ?? nextTable(after: page, limit: pages.upperBound)
        continue
      }
      if visit(middle, page..<tableEnd, body) { page = tableEnd }
    }
  }

  /// `false` when what is entered has changed before it was locked.
  private func visit(
    _ middle: MiddleEntry, _ pages: Range<UInt64>, _ body: (_ page: UInt64, _ entry: WordPointer) -> Void
  ) -> Bool {
    if let leaf = middle.leaf {
      let visited: Void? = withLock(of: leaf, at: middle) {
        for page in pages {
          let entry = leaf.entries + Self.slot(ofPage: page, level: 0)
          if entry.pointee.load(ordering: .relaxed) != 0 { body(page, entry) }
        }
      }
      return visited != nil
    }
    return lock(of: middle.table).pointee.lock.withLock {
      let entry = middle.entry
      if entry.isHuge { body(pages.lowerBound & ~(PageSize.entriesPerTable - 1), middle.pointer) }
      return entry.isHuge || entry.isNone
    }
  }

  /// Calls `body` under the lock of a leaf table, if that is still entered. Kernel: `pte_offset_map_lock`.
  func withLock<Result>(of leaf: Table, at middle: MiddleEntry, _ body: () -> Result) -> Result? {
    lock(of: leaf).pointee.lock.withLock { middle.leaf == leaf ? body() : nil }
  }

  /// Calls `body` with the entry that maps `page`, of any size, under its table's lock. `nil` when there is no table.
  func withEntry<Result>(ofPage page: UInt64, _ body: (WordPointer) -> Result) -> Result? {
    while let middle = middle(forPage: page), !middle.isNone {
      if let leaf = middle.leaf {
        let pointer = leaf.entries + Self.slot(ofPage: page, level: 0)
        if let result = withLock(of: leaf, at: middle, { body(pointer) }) { return result }
      } else {
        let result: Result? = lock(of: middle.table).pointee.lock.withLock {
          let entry = middle.entry
          return entry.isHuge ? body(middle.pointer) : nil
        }
        if let result { return result }
      }
    }
    return withGiganticEntry(ofPage: page, body)
  }

  /// The first page after `page` that another middle-level (or higher) entry covers, skipping what has no tables at
  /// all.
  func nextTable(after page: UInt64, limit: UInt64) -> UInt64 {
    var level: UInt64 = 3
    if let upper = Self.child(root.entries[Self.slot(ofPage: page, level: 3)].load(ordering: .acquiring)) {
      level = Self.child(upper.entries[Self.slot(ofPage: page, level: 2)].load(ordering: .relaxed)) == nil ? 2 : 1
    }
    let span: UInt64 = 1 << (9 * level)
    return min(limit, (page | (span - 1)) &+ 1)
  }
}
