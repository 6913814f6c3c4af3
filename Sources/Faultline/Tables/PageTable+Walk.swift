extension PageTable {
  /// Calls `body` with each entry that is not none in `pages`, under the lock of its table, in address order.
  ///
  /// `body` may change the entry. It must not block and must not lock another table.
  func forEachEntry(in pages: Range<UInt64>, _ body: (_ page: UInt64, _ entry: WordPointer) -> Void) {
    var page = pages.lowerBound
    while page < pages.upperBound {
      let tableEnd = min(pages.upperBound, (page | (PageSize.entriesPerTable - 1)) &+ 1)
      if let leaf = leaf(forPage: page) {
        lock(of: leaf).pointee.lock.withLock {
          for inside in page..<tableEnd {
            let entry = leaf.entries + Self.slot(ofPage: inside, level: 0)
            if entry.pointee.load(ordering: .relaxed) != 0 { body(inside, entry) }
          }
        }
        page = tableEnd
      } else {
        page = nextTable(after: page, limit: pages.upperBound)
      }
    }
  }

  /// The first page after `page` that another middle-level (or higher) entry covers, skipping what has no tables at all.
  func nextTable(after page: UInt64, limit: UInt64) -> UInt64 {
    var level: UInt64 = 3
    if let upper = Self.child(root.entries[Self.slot(ofPage: page, level: 3)].load(ordering: .relaxed)) {
      level = upper.entries[Self.slot(ofPage: page, level: 2)].load(ordering: .relaxed) == 0 ? 2 : 1
    }
    let span: UInt64 = 1 << (9 * level)
    return min(limit, (page | (span - 1)) &+ 1)
  }
}
