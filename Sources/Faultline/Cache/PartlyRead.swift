/// Folios of several pages of which only some have contents: a write that ended early leaves them so, and whoever needs the rest
/// reads it. Kernel: the block states of `iomap_folio_state` and of buffer heads.
///
/// Laws
/// 1. A folio that is up to date has all pages, and no notes. Else the notes of its frames count, if the folio has any.
/// 2. Notes change under the folio's lock. What was noted of an earlier folio on the same frames says nothing.
/// 3. Only pages that are there are written to the store.
extension Folio {
  /// Whether page `index` of it has contents.
  func isThere(_ index: UInt64) -> Bool {
    if contains(.uptodate) { return true }
    return contains(.partlyUptodate) && Folio(head: frame(forPage: index)).contains(.pageUptodate)
  }

  /// Whether what a read of `pages` wants of it is there, and is not all of it: then nothing has to be read. Kernel:
  /// `filemap_range_uptodate`.
  func hasAll(of pages: ClosedRange<UInt64>) -> Bool {
    let own = pages.clamped(to: index...endIndex - 1)
    return UInt64(own.count) < pageCount && own.allSatisfy(isThere)
  }

  /// Notes that these pages of it have contents; with the last of them the folio is up to date.
  func noteThere(_ pages: Range<UInt64>) {
    guard !contains(.uptodate) else { return }
    if !contains(.partlyUptodate) {
      for page in 0..<Int(pageCount) { Folio(head: head + page).remove(.pageUptodate) }
      insert(.partlyUptodate)
    }
    for page in pages { Folio(head: frame(forPage: page)).insert(.pageUptodate) }
    if (index..<endIndex).allSatisfy(isThere) { becomeUptodate() }
  }

  /// The contents of all pages are there.
  func becomeUptodate() {
    insert(.uptodate)
    if contains(.partlyUptodate) { remove(.partlyUptodate) }
  }

  /// The runs of pages within `pages` that are there, or those that are not.
  func runs(in pages: Range<UInt64>, there: Bool) -> [Range<UInt64>] {
    if contains(.uptodate) || !contains(.partlyUptodate) {
      return contains(.uptodate) == there && !pages.isEmpty ? [pages] : []
    }
    var runs: [Range<UInt64>] = []
    for page in pages where isThere(page) == there {
      if let last = runs.last, last.upperBound == page {
        runs[runs.count - 1] = last.lowerBound..<page + 1
      } else {
        runs.append(page..<page + 1)
      }
    }
    return runs
  }
}
