extension FileNode {
  /// Sets the file's size. ftruncate(2). Kernel: `truncate_setsize`.
  ///
  /// The size changes first, under the content lock; then whatever maps a page beyond it is unmapped, its folios go,
  /// and it is unmapped once more, for a private copy may have been made in between.
  ///
  /// - Parameter size: bytes. Growing adds a hole. What the file system of a file with DAX, or a device, refuses is
  ///   lost here: see ``resize(to:busyPages:)``.
  public func truncate(to size: UInt64) {
    if isDirect {
      try? resize(to: size)
      return
    }
    cache.pointee.contentLock.lockExclusive()
    defer { cache.pointee.contentLock.unlockExclusive() }
    let zeroesFirst = traits.allocation == .extents
    // Zeroing makes the folio dirty, and a dirty one is not split below.
    if zeroesFirst, size <= self.size { zeroTail(from: size) }
    let old = cache.pointee.size.exchange(size, ordering: .releasing)
    guard size <= old else {
      // Files that live in memory let through what was stored behind their end.
      if !traits.isMemoryOnly, machine.rules.zeroesTailOnGrowth || zeroesFirst { zeroTail(from: old) }
      // The zeroes must be on the device before the new size is. What the store refuses stays dirty.
      if zeroesFirst { try? writeBack(old >> PageSize.shift..<PageSize.pages(covering: size)) }
      return
    }
    roomWord.store(PageSize.pages(covering: size), ordering: .relaxed)
    let gone = PageSize.pages(covering: size)..<UInt64.max
    unmap(gone, includingCopies: true)
    #if DEBUG || ModelCheck
      machine.switches.pass(.unmappedOnce)
    #endif
    removeFolios(in: size..<UInt64.max)
    if !zeroesFirst { zeroTail(from: size) }
    #if DEBUG || ModelCheck
      if machine.switches.has(.unmapsOnce) { return }
    #endif
    unmap(gone, includingCopies: true)
  }

  /// Zeroes what lies behind byte `end` in its page, if that is cached: stores through a mapping may have left
  /// something there, which must not show when the file grows over it. Kernel: `ext4_block_truncate_page`,
  /// `truncate_inode_partial_folio`.
  private func zeroTail(from end: UInt64) {
    guard end & (PageSize.bytes - 1) != 0 else { return }
    guard let reference = cutPage(end >> PageSize.shift) else { return }
    let folio = reference.folio
    folio.lock()
    defer { folio.unlock() }
    guard folio.lies(in: cache), folio.contains(.uptodate), !isCleanHole(folio) else { return }
    zero(folio, from: end)
    markDirty(folio)
  }

  /// Whether a locked folio has no block behind it and needs none: there is nothing to zero then, and nothing gets
  /// dirty. Kernel: `ext4_load_tail_bh`.
  func isCleanHole(_ folio: Folio) -> Bool { !folio.contains(.dirty) && isHole(folio) }

  /// A write that begins past the page of the file's end makes that page whole first. Kernel:
  /// `ext4_block_zero_page_range`, as `ext4_write_end` calls it.
  func bringTailBeforeWrite(at offset: UInt64) {
    let end = size
    guard machine.rules.zeroesTailOnGrowth, end & (PageSize.bytes - 1) != 0,
      offset >> PageSize.shift > end >> PageSize.shift
    else { return }
    _ = cutPage(end >> PageSize.shift)
  }

  /// Zeroes what a locked folio holds behind the end of the file, so that the store never sees it.
  func zeroBeyondEnd(of folio: Folio) {
    let size = size
    if size >> PageSize.shift >= folio.index, size < folio.endIndex << PageSize.shift { zero(folio, from: size) }
  }

  /// Zeroes the bytes of a locked folio from byte `position` of the file on.
  private func zero(_ folio: Folio, from position: UInt64) {
    let start = Int(position &- folio.index << PageSize.shift)
    machine.memory.contents(of: folio.head)?.advanced(by: start).initializeMemory(
      as: UInt8.self, repeating: 0, count: Int(folio.pageCount << PageSize.shift) - start)
  }

  /// Drops the clean, unmapped folios that lie whole in `pages`. Kernel: `invalidate_mapping_pages`.
  ///
  /// What is dirty, locked, being written or mapped stays.
  public func dropClean(_ pages: Range<UInt64> = 0..<UInt64.max) { dropClean(pages) { _ in } }

  /// The same; `body` gets each folio that stays because it is dirty or mapped, locked.
  func dropClean(_ pages: Range<UInt64>, orElse body: (Folio) -> Void) {
    forEachFolio(in: pages) { folio in
      guard folio.index >= pages.lowerBound, folio.endIndex <= pages.upperBound, folio.tryLock() else { return }
      defer { folio.unlock() }
      guard folio.lies(in: cache) else { return }
      if folio.flags.isDisjoint(with: [.dirty, .writeback]), !folio.isMapped { remove(folio) } else { body(folio) }
    }
  }
}
