extension FileNode {
  /// Sets the file's size. ftruncate(2). Kernel: `truncate_setsize`.
  ///
  /// The size changes first, under the content lock; then whatever maps a page beyond it is unmapped, its folios go, and it is
  /// unmapped once more, for a private copy may have been made in between.
  ///
  /// - Parameter size: bytes. Growing adds a hole.
  public func truncate(to size: UInt64) {
    cache.pointee.contentLock.lockExclusive()
    defer { cache.pointee.contentLock.unlockExclusive() }
    let old = cache.pointee.size.exchange(size, ordering: .releasing)
    guard size < old else { return }
    let gone = PageSize.pages(covering: size)..<UInt64.max
    unmap(gone, includingCopies: true)
    removeFolios(in: gone)
    zeroTail(from: size)
    unmap(gone, includingCopies: true)
  }

  /// Takes the folios that begin in `pages` out of the cache, dirty or not.
  private func removeFolios(in pages: Range<UInt64>) {
    forEachFolio(in: pages) { folio in
      folio.lock()
      defer { folio.unlock() }
      guard folio.lies(in: cache) else { return }
      if folio.isMapped { unmap(folio.index..<folio.endIndex, includingCopies: false) }
      folio.remove(.dirty)
      remove(folio)
    }
  }

  /// Zeroes the last page's bytes beyond the end, in the cache only.
  private func zeroTail(from size: UInt64) {
    guard size & (PageSize.bytes - 1) != 0, let reference = lookUp(size >> PageSize.shift) else { return }
    let folio = reference.folio
    folio.lock()
    defer { folio.unlock() }
    let start = Int(size &- folio.index << PageSize.shift)
    machine.memory.contents(of: folio.head)?.advanced(by: start).initializeMemory(
      as: UInt8.self, repeating: 0, count: Int(folio.pageCount << PageSize.shift) - start)
  }

  /// Drops the clean, unmapped folios that lie whole in `pages`. Kernel: `invalidate_mapping_pages`.
  ///
  /// What is dirty, locked, being written or mapped stays.
  public func dropClean(_ pages: Range<UInt64> = 0..<UInt64.max) {
    forEachFolio(in: pages) { folio in
      guard folio.index >= pages.lowerBound, folio.endIndex <= pages.upperBound, folio.tryLock() else { return }
      defer { folio.unlock() }
      guard folio.lies(in: cache), folio.flags.isDisjoint(with: [.dirty, .writeback]), !folio.isMapped else { return }
      remove(folio)
    }
  }
}
