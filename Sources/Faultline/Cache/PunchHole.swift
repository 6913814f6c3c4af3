extension FileNode {
  /// Takes a range of bytes out of the file's cache: whole pages go and are unmapped, private copies of them stay; the
  /// bytes of pages that are cut are zeroed. The file's size does not change. fallocate(2) with FALLOC_FL_PUNCH_HOLE.
  /// Kernel: `truncate_pagecache_range`.
  ///
  /// The store forgets the range when the pages are gone and none can come back, before anything else may read it. What
  /// the file system of a file with DAX refuses is lost here: see ``OpenFile/change(_:offset:length:keepSize:)``.
  public func punchHole(_ bytes: Range<UInt64>) {
    // A device has no holes.
    guard !bytes.isEmpty, device == nil else { return }
    if let dax {
      try? dax.change(.punchHole, bytes, keepSize: true, .wait)
      return
    }
    // A hole behind the end is nothing to do; zeroes there are room to be set aside.
    if traits.journalsData, bytes.lowerBound < size { commitBeforePunch(bytes) }
    forget(bytes)
  }

  /// Makes a range of bytes read as zero. fallocate(2) with FALLOC_FL_ZERO_RANGE; the file's size does not change.
  public func zeroRange(_ bytes: Range<UInt64>) {
    guard !bytes.isEmpty, device == nil else { return }
    if let dax {
      try? dax.change(.zeroRange, bytes, keepSize: true, .wait)
      return
    }
    if traits.journalsData { commitBeforePunch(bytes) }
    forget(bytes)
  }

  private func forget(_ bytes: Range<UInt64>) {
    if traits.allocation == .extents { return punchWritten(bytes) }
    cache.pointee.contentLock.lockExclusive()
    defer { cache.pointee.contentLock.unlockExclusive() }
    let first = PageSize.pages(covering: bytes.lowerBound)
    let end = bytes.upperBound >> PageSize.shift
    if first < end { unmap(first..<end, includingCopies: false) }
    removeFolios(in: bytes)
    // What a store refuses to forget is as good as a hole that was never made; the pages come back with the next read.
    try? store?.discard(bytes)
    zeroCutPages(bytes)
  }

  /// The same on a file system that first writes the range back: every page that it touches goes, and of those that it
  /// cuts the rest is read again. Kernel: `xfs_free_file_space`.
  private func punchWritten(_ bytes: Range<UInt64>) {
    let pages = bytes.lowerBound >> PageSize.shift..<PageSize.pages(covering: bytes.upperBound)
    // What the store refuses to take is lost with the pages, as the range is.
    try? writeBack(pages)
    cache.pointee.contentLock.lockExclusive()
    defer { cache.pointee.contentLock.unlockExclusive() }
    unmap(pages, includingCopies: false)
    removeFolios(in: pages.lowerBound << PageSize.shift..<pages.upperBound << PageSize.shift)
    try? store?.discard(bytes)
    zeroCutPages(bytes)
  }

  /// Journaled data is written and committed before its pages go, lest a crash bring it back, as soon as any page of
  /// the file is dirty. What the store refuses here is lost with the pages. Kernel:
  /// `ext4_truncate_page_cache_block_range`.
  private func commitBeforePunch(_ bytes: Range<UInt64>) {
    var isDirty = false
    forEachFolio(in: 0..<UInt64.max) { folio in isDirty = isDirty || folio.contains(.dirty) }
    if isDirty { try? writeBack(bytes.lowerBound >> PageSize.shift..<PageSize.pages(covering: bytes.upperBound)) }
  }

  /// The first and the last page of a range, as far as it covers them in part.
  private func zeroCutPages(_ bytes: Range<UInt64>) {
    let last = (bytes.upperBound - 1) >> PageSize.shift
    zeroPart(bytes, of: bytes.lowerBound >> PageSize.shift)
    if last != bytes.lowerBound >> PageSize.shift { zeroPart(bytes, of: last) }
  }

  private func zeroPart(_ bytes: Range<UInt64>, of page: UInt64) {
    let start = page << PageSize.shift
    let part = bytes.clamped(to: start..<start &+ PageSize.bytes)
    guard !part.isEmpty, part.count < PageSize.bytes, page < cache.filePages else { return }
    guard let reference = cutPage(page) else { return }
    let folio = reference.folio
    folio.lock()
    defer { folio.unlock() }
    guard folio.lies(in: cache), folio.contains(.uptodate), !isCleanHole(folio) else { return }
    if let contents = machine.memory.contents(of: folio.frame(forPage: page)) {
      contents.advanced(by: Int(part.lowerBound - start)).initializeMemory(
        as: UInt8.self, repeating: 0, count: part.count)
    }
    markDirty(folio)
  }
}
