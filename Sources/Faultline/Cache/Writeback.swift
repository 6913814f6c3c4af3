extension FileNode {
  /// Marks a folio of the cache dirty, in its flags and in its slot. Kernel: `folio_mark_dirty`.
  ///
  /// The caller holds its lock or the lock of a table with an entry that maps it. A folio that truncation has just taken out
  /// gets the flag alone: its slot may be another's already.
  func markDirty(_ folio: Folio) {
    if folio.contains(.readahead) { folio.remove(.readahead) }
    if folio.order > 0 { folio.insert(.hasBlockState) }
    markWritten(folio)
  }

  /// The same for write(2), which leaves the readahead marker alone unless the data go through a journal. Kernel:
  /// `mark_buffer_dirty`.
  func markWritten(_ folio: Folio) {
    if traits.journalsData, folio.contains(.readahead) { folio.remove(.readahead) }
    guard !folio.contains(.dirty), folio.insert(.dirty) else { return }
    cache.pointee.slotLock.withLock {
      if folio.lies(in: cache) { slots.setMark(.dirty, at: folio.index, to: true) }
    }
  }

  /// Writes dirty folios in `pages` to the store, after making their entries clean and read-only, so that the next store to
  /// each is heard of. Kernel: `filemap_write_and_wait_range`, `folio_clear_dirty_for_io`, `folio_mkclean`.
  ///
  /// - Throws: the store's first failure; the other folios are written nevertheless, and what failed stays dirty.
  public func writeBack(_ pages: Range<UInt64> = 0..<UInt64.max) throws(StoreError) {
    guard !traits.isMemoryOnly else { return }
    var failure: StoreError?
    forEachFolio(in: pages) { folio in
      folio.lock()
      defer { folio.unlock() }
      do throws(StoreError) { try writeBack(folio) } catch { failure = failure ?? error }
    }
    if traits.journalsData { commit(except: pages) }
    let lost = lostPage.exchange(.max, ordering: .acquiring)
    if lost != .max, failure == nil {
      failure = StoreError(page: lost, message: "the memory of page \(lost) failed before it was written")
    }
    if let failure { throw failure }
  }

  /// The pages of a folio that hold a byte of the file: what lies behind its end is never written.
  private func pagesInFile(of folio: Folio) -> UInt64 {
    min(folio.endIndex, max(folio.index, cache.filePages)) - folio.index
  }

  /// Writes the dirty folios that nobody works on, so that they can be given up: reclaim may be called with folios locked, and
  /// must wait for none. What the store refuses stays dirty. Kernel: `wakeup_flusher_threads`.
  func writeBackForReclaim() {
    forEachFolio(in: 0..<UInt64.max) { folio in
      guard folio.contains(.dirty), folio.tryLock() else { return }
      defer { folio.unlock() }
      try? writeBack(folio)
    }
  }

  /// Writes one locked folio, if it is this file's and dirty.
  private func writeBack(_ folio: Folio) throws(StoreError) {
    guard folio.lies(in: cache) else { return }
    let wasStored = traits.notifiesOfWrites && makeClean(folio)
    guard folio.remove(.dirty) || wasStored else { return }
    // Kernel: `folio_end_writeback`, for which the marker means that the folio was to be dropped.
    folio.remove(.readahead)
    cache.pointee.slotLock.withLock { slots.setMark(.dirty, at: folio.index, to: false) }
    zeroBeyondEnd(of: folio)
    if folio.order > 0 { folio.insert(.hasBlockState) }
    // What is dirty without having been read is a block that was cut: the store has it as it should be.
    guard let store else { return }
    for run in folio.runs(in: folio.index..<folio.index + pagesInFile(of: folio), there: true) {
      guard let bytes = machine.memory.contents(of: folio.frame(forPage: run.lowerBound)) else { return }
      do throws(StoreError) {
        try store.write(
          firstPage: run.lowerBound, from: UnsafeRawBufferPointer(start: bytes, count: run.count << PageSize.shift))
      } catch {
        markDirty(folio)
        throw error
      }
    }
  }

  /// Starts writing without waiting. What goes through a journal waits for its commit: its entries are made read-only, but the
  /// pages stay dirty. Kernel: `filemap_flush_range`.
  func startWriteBack(_ pages: Range<UInt64>) {
    if traits.journalsData { holdStill(pages) } else { try? writeBack(pages) }
  }

  /// A journal commit needs the data to hold still: stores to any dirty page of the file fault again, and the pages stay
  /// dirty. Kernel: `ext4_journal_submit_inode_data_buffers`.
  private func commit(except written: Range<UInt64>) {
    holdStill(0..<written.lowerBound)
    holdStill(written.upperBound..<UInt64.max)
  }

  private func holdStill(_ pages: Range<UInt64>) {
    forEachFolio(in: pages) { folio in
      folio.lock()
      defer { folio.unlock() }
      if folio.lies(in: cache), makeClean(folio) { markDirty(folio) }
    }
  }

  /// Makes every shared entry of a locked folio clean and read-only; says whether one was dirty.
  private func makeClean(_ folio: Folio) -> Bool {
    var wasDirty = false
    forEachArea { area in
      guard area.flags.contains(.shared) else { return }
      area.forEachEntry(of: folio.index..<folio.endIndex) { pointer in
        let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
        guard entry.isPresent else { return }
        var kept = ~(PageTableEntry.dirtyBit | PageTableEntry.writableBit)
        #if DEBUG || ModelCheck
          if machine.switches.has(.forgetsWriteProtect) { kept |= PageTableEntry.writableBit }
        #endif
        // What the entry says now: the processor may have marked it dirty since the look.
        let old = pointer.pointee.bitwiseAnd(kept, ordering: .relaxed).oldValue
        wasDirty = wasDirty || PageTableEntry(rawValue: old).isDirty
      }
    }
    return wasDirty
  }
}
