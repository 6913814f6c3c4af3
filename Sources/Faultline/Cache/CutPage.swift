/// Pages of which truncation or a hole takes only a part: the file system zeroes that part in the cache.
extension FileNode {
  /// The folio of a page that is about to be zeroed in part; `nil` where there is nothing to zero.
  ///
  /// A file system with blocks of its own brings a page that is not there. One that is not up to date stays so: read ahead
  /// passes it over, and the next access reads it. Kernel: `ext4_block_zero_page_range`, `iomap_zero_range`.
  func cutPage(_ index: UInt64) -> FolioReference? {
    if let found = lookUp(index) { return found }
    guard !traits.isMemoryOnly else { return nil }
    switch traits.allocation {
    case .plain:
      guard let made = makeFolio(at: index) else { return nil }
      pagesReadWord.wrappingAdd(1, ordering: .relaxed)
      readRequestsWord.wrappingAdd(1, ordering: .relaxed)
      // Its block is read and zeroed in part, and dirty for that; the page is neither read nor zeroed by it.
      if !isHole(made.folio) { markDirty(made.folio) }
      made.folio.unlock()
      return nil
    case .extents:
      guard index < cache.filePages, store?.isHole(index) != true, let made = makeFolio(at: index) else { return nil }
      readRequestsWord.wrappingAdd(1, ordering: .relaxed)
      fill(made.folio)
      return made
    }
  }
}
