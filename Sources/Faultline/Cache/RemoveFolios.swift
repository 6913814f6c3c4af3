extension FileNode {
  /// Takes a range of bytes out of the cache, dirty or not: folios that lie whole in it go, what lies in part of one is zeroed,
  /// and a folio of several pages is split at the range's ends so that it need not stay for the part that does.
  /// Kernel: `truncate_inode_pages_range`, `shmem_undo_range`.
  ///
  /// The caller has unmapped the whole pages of the range and holds the content lock exclusively. The bytes of single pages
  /// that the range cuts are left to it, for file systems differ in that.
  ///
  /// - Parameter bytes: its upper bound is `UInt64.max` for everything from the lower bound on.
  func removeFolios(in bytes: Range<UInt64>) {
    guard !bytes.isEmpty else { return }
    let first = PageSize.pages(covering: bytes.lowerBound)
    let end = bytes.upperBound == .max ? UInt64.max : bytes.upperBound >> PageSize.shift
    let pages = first..<max(first, end)
    removeWholeFolios(in: pages)
    let isCutTwice = cutFolio(at: bytes.lowerBound >> PageSize.shift, bytes)
    if isCutTwice { _ = cutFolio(at: (bytes.upperBound - 1) >> PageSize.shift, bytes) }
    removeWholeFolios(in: pages)
    forgetShadows(in: pages)
  }

  private func removeWholeFolios(in pages: Range<UInt64>) {
    forEachFolio(in: pages) { folio in
      folio.lock()
      defer { folio.unlock() }
      guard folio.lies(in: cache), folio.index >= pages.lowerBound, folio.endIndex <= pages.upperBound else { return }
      removeWhole(folio)
    }
  }

  private func removeWhole(_ folio: Folio) {
    if folio.isMapped { unmap(folio.index..<folio.endIndex, includingCopies: false) }
    folio.remove(.dirty)
    remove(folio)
  }

  /// Zeroes what a folio of several pages around page `page` has of `bytes`, and splits it there. One that cannot be split
  /// stays whole when it is dirty, and goes whole when its store has all of it. Kernel: `truncate_inode_partial_folio`.
  ///
  /// - Returns: whether the range ends behind this folio, so that another may be cut there.
  private func cutFolio(at page: UInt64, _ bytes: Range<UInt64>) -> Bool {
    guard let reference = lookUp(page) else { return true }
    let folio = reference.folio
    folio.lock()
    defer { folio.unlock() }
    guard folio.lies(in: cache), folio.order > 0 else { return bytes.upperBound > folio.endIndex << PageSize.shift }
    let extent = folio.index << PageSize.shift..<folio.endIndex << PageSize.shift
    let part = bytes.clamped(to: extent)
    if part.isEmpty || part == extent { return bytes.upperBound > extent.upperBound }
    if let contents = machine.memory.contents(of: folio.head) {
      contents.advanced(by: Int(part.lowerBound - extent.lowerBound)).initializeMemory(
        as: UInt8.self, repeating: 0, count: part.count)
    }
    // What is left of it lies behind the end of the file: no block of it is dirty any more.
    let isRestBeyondEnd = part.lowerBound == extent.lowerBound && part.upperBound >= cache.filePages << PageSize.shift
    if isRestBeyondEnd, !traits.isMemoryOnly {
      removeWhole(folio)
      return bytes.upperBound > extent.upperBound
    }
    // A file in memory has nowhere else to keep the zeroes.
    if traits.isMemoryOnly { markDirty(folio) }
    if splitOrUnmap(folio, around: part.lowerBound >> PageSize.shift) {
      if part.upperBound < extent.upperBound { splitEnd(at: part.upperBound >> PageSize.shift) }
    } else if !folio.contains(.dirty) {
      removeWhole(folio)
    }
    return bytes.upperBound > extent.upperBound
  }

  /// The split at a range's end, if nobody is at that folio: without it, what lies in the range of it stays.
  private func splitEnd(at page: UInt64) {
    guard let reference = lookUp(page), reference.folio.order > 0, reference.folio.tryLock() else { return }
    _ = splitOrUnmap(reference.folio, around: page)
    reference.folio.unlock()
  }

  /// A split; where it fails, newer kernels let the folio be faulted in anew, page by page. Kernel:
  /// `try_folio_split_or_unmap`.
  private func splitOrUnmap(_ folio: Folio, around page: UInt64) -> Bool {
    if split(folio, around: page) { return true }
    if machine.rules.largeFolios.unmapsUnsplit, !traits.isMemoryOnly {
      unmap(folio.index..<folio.endIndex, includingCopies: false)
    }
    return false
  }
}
