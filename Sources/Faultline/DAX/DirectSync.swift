/// Making what was stored durable. Kernel: `dax_writeback_mapping_range`, `ext4_sync_file`.
extension FileNode {
  /// Makes what was stored to pages of the file durable, and what a crash would need to find it. fsync(2),
  /// fdatasync(2), msync(2).
  ///
  /// - Parameter dataOnly: whether metadata may be left out that the data can be found without.
  /// - Throws: `EIO` when a store or device refuses, `EROFS` after an aborted commit, `EINVAL` for a device that is
  ///   mapped as a whole: its stores are the program's to flush.
  public func sync(_ pages: Range<UInt64> = 0..<UInt64.max, dataOnly: Bool = false) throws(KernelError) {
    try requireFile("fsync")
    if let dax { return try dax.sync(pages, dataOnly: dataOnly) }
    do throws(StoreError) {
      try writeBack(pages)
    } catch {
      throw KernelError(.EIO, error.message)
    }
  }
}

extension DirectFile {
  /// The last page that a file can have. Kernel: `LLONG_MAX >> PAGE_SHIFT`.
  private static let lastPage = UInt64(Int64.max) >> PageSize.shift

  func sync(_ pages: Range<UInt64>, dataOnly: Bool) throws(KernelError) {
    var written = pages
    #if DEBUG || ModelCheck
      if machine.switches.has(.syncsWrongRange) {
        written = pages.lowerBound..<max(pages.lowerBound, pages.upperBound - 1)
      }
    #endif
    written = written.clamped(to: 0..<Self.lastPage + 1)
    if !written.isEmpty { try writeBack(written) }
    try file.commit(dataOnly: dataOnly)
  }

  /// Flushes the dirty entries of a range. Without any in the whole file nothing is looked at.
  ///
  /// - Throws: `EIO`, the first failure; what failed stays dirty.
  func writeBack(_ pages: Range<UInt64>) throws(KernelError) {
    guard backing.dirtyEntries.load(ordering: .acquiring) != 0 else { return }
    machine.events.note(
      EngineEvent(.directWriteback, file: node.number, page: pages.lowerBound, through: pages.upperBound - 1))
    defer {
      machine.events.note(
        EngineEvent(.directWritebackDone, file: node.number, page: scanEnd(pages), through: pages.upperBound - 1))
    }
    mark(pages)
    var next = pages.lowerBound
    while next < pages.upperBound, let (index, entry) = nextToWrite(from: next, through: pages.upperBound - 1) {
      try write(entry, at: index)
      next = entry.pages(around: index).upperBound
    }
  }

  /// Marks what is to be written now: what gets dirty later is the next sync's. Kernel: `tag_pages_for_writeback`.
  private func mark(_ pages: Range<UInt64>) {
    withSlots { slots in
      var next = pages.lowerBound
      while next < pages.upperBound, let (index, word) = slots.first(from: next, through: pages.upperBound - 1) {
        if slots.isMarked(index, .dirty) { slots.setMark(.toWrite, at: index, to: true) }
        next = DAXEntry(rawValue: word).pages(around: index).upperBound
      }
    }
  }

  private func nextToWrite(from start: UInt64, through end: UInt64) -> (index: UInt64, entry: DAXEntry)? {
    withSlots { slots in
      var next = start
      while next <= end, let (index, word) = slots.first(from: next, through: end) {
        let entry = DAXEntry(rawValue: word)
        if slots.isMarked(index, .toWrite) { return (index, entry) }
        next = entry.pages(around: index).upperBound
      }
      return nil
    }
  }

  /// One entry: read-only everywhere, flushed, clean. Kernel: `dax_writeback_one`.
  private func write(_ seen: DAXEntry, at index: UInt64) throws(KernelError) {
    guard let entry = lockToWrite(index, seen: seen) else { return }
    let pages = entry.pages(around: index)
    holdStill(pages)
    var failure: KernelError?
    if entry.isBlock {
      let first = backing.pages.page(of: memory.frame(entry.frame)) << PageSize.shift
      do throws(DeviceError) {
        try device.persist(first..<first + entry.size.byteCount)
      } catch {
        failure = KernelError(.EIO, error.message)
      }
    }
    unlockWritten(entry, at: index, isClean: failure == nil)
    machine.events.note(
      EngineEvent(.directWrittenBack, file: node.number, page: pages.lowerBound, count: entry.size.pageCount))
    if let failure { throw failure }
  }

  /// Makes every shared entry that shows one of these pages clean and read-only, in all areas: one may map by single
  /// pages what another maps at once. Kernel: `pfn_mkclean_range`.
  private func holdStill(_ pages: Range<UInt64>) {
    #if DEBUG || ModelCheck
      var isFirst = true
    #endif
    node.forEachArea { area in
      guard area.flags.contains(.shared) else { return }
      #if DEBUG || ModelCheck
        defer { isFirst = false }
        if !isFirst, machine.switches.has(.protectsOneMapping) { return }
      #endif
      area.forEachEntry(of: pages) { pointer in
        let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
        guard entry.isPresent else { return }
        pointer.pointee.bitwiseAnd(~(PageTableEntry.dirtyBit | PageTableEntry.writableBit), ordering: .relaxed)
      }
    }
  }

  /// Where the kernel's scan for marked entries stands when it finds no more: behind the tree, whose top a single first
  /// page does not need. Only the trace event shows it. Kernel: `xas_find_marked`.
  private func scanEnd(_ pages: Range<UInt64>) -> UInt64 {
    withSlots { slots in
      guard let (index, word) = slots.first(from: 0, through: .max - 1) else { return pages.lowerBound }
      let isAlone = index == 0 && !DAXEntry(rawValue: word).isHuge && slots.first(from: 1, through: .max - 1) == nil
      if isAlone { return 1 }
      return XArrayNode(entry: slots.root.pointee.load(ordering: .relaxed)).map { $0.maximumIndex &+ 1 } ?? 1
    }
  }
}
