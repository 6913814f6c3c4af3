extension OpenFile {
  /// Writes through the cache and grows the file where needed. pwrite(2). Kernel: `generic_perform_write`.
  ///
  /// - Parameter bytes: what to write; in a machine without contents only its length matters.
  /// - Throws: `EBADF` without write permission, `EIO` when a page that is written in part cannot be read, `ENOMEM`.
  public func write(at offset: UInt64, _ bytes: UnsafeRawBufferPointer) throws(KernelError) {
    guard isWritable else { throw KernelError(.EBADF, "a write to a descriptor that cannot write") }
    guard UInt64(bytes.count) <= UInt64(Int64.max) - min(offset, UInt64(Int64.max)) else {
      throw KernelError(.EFBIG, "a write past the largest file offset")
    }
    if let dax = node.dax { return try dax.write(at: offset, bytes) }
    if !bytes.isEmpty { node.bringTailBeforeWrite(at: offset) }
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      done += try node.writePiece(offset + UInt64(done), rest, having: rest.count)
    }
  }

  /// One step of a write whose bytes are copied while the file's page is locked, so that the copy may end early: `bytes` lie in one
  /// page of the file, and only the first `copied` of them are there.
  ///
  /// - Returns: the bytes that were written: `copied`, or none when that would leave the page half made.
  func writePiece(at offset: UInt64, _ bytes: UnsafeRawBufferPointer, having copied: Int) throws(KernelError) -> Int {
    node.bringTailBeforeWrite(at: offset)
    return try node.writePiece(offset, bytes, having: copied)
  }
}

extension FileNode {
  /// The folio of a page that is written, locked: found, unless reclaim takes it before it is locked, or made, unless another
  /// thread's comes first.
  private func lockFolioToWrite(at index: UInt64, count: UInt64) throws(KernelError) -> FolioReference {
    for _ in 0..<Self.attemptsToMake {
      if let found = lookUp(index) {
        found.folio.lock()
        if found.folio.lies(in: cache) { return found }
        found.folio.unlock()
      } else if let made = makeFolioToWrite(at: index, count: count) {
        return made
      }
    }
    throw KernelError(.ENOMEM, "no memory for page \(index)")
  }

  /// Writes as much as one folio takes of the first `copied` of the bytes. Kernel: `write_begin` and `write_end`.
  ///
  /// - Returns: the bytes that were written: at least one if all were there to copy.
  fileprivate func writePiece(
    _ position: UInt64, _ bytes: UnsafeRawBufferPointer, having copied: Int
  ) throws(KernelError) -> Int {
    let index = position >> PageSize.shift
    cache.pointee.contentLock.lockShared()
    defer { cache.pointee.contentLock.unlockShared() }
    let wanted = makeRoom(
      at: position, count: min(UInt64(bytes.count), Self.writeSpan - position & (Self.writeSpan - 1)))
    let reference = try lockFolioToWrite(at: index, count: wanted)
    let folio = reference.folio
    guard !folio.hasPoison else {
      folio.unlock()
      throw KernelError(.EIO, "a write to page \(index), whose memory has failed")
    }
    let inFolio = position - folio.index << PageSize.shift
    let size = folio.pageCount << PageSize.shift
    let length = min(wanted, size - inFolio)
    if !folio.contains(.uptodate), length < size { try readForWrite(folio, except: inFolio..<inFolio + length) }
    // What a device's page would lack has to be read; a page in memory is zero there.
    let isMade = traits.isMemoryOnly || folio.contains(.uptodate) || UInt64(copied) >= length
    let taken = isMade ? min(UInt64(copied), length) : 0
    if let target = machine.memory.contents(of: folio.head), let source = bytes.baseAddress {
      (target + Int(inFolio)).copyMemory(from: source, byteCount: Int(taken))
    }
    // The size grows to where the write stands, on most file systems even if it gets no further.
    let end = position + taken
    if end > self.size, taken > 0 || traits.allocation == .plain { cache.pointee.size.store(end, ordering: .releasing) }
    // XFS has no need to know the blocks of a folio that is written as a whole.
    if folio.order > 0, length < size || traits.allocation == .plain { folio.insert(.hasBlockState) }
    if isMade {
      folio.insert(.uptodate)
      if taken > 0 || traits.isMemoryOnly { markWritten(folio) }
    }
    if taken < length { keepNewBlock(of: folio) }
    if taken < length { dropUnwritten(folio) }
    folio.unlock()
    return Int(taken)
  }

  /// Where a write found a hole, there is a block now, and what was not copied into it is zero. Kernel:
  /// `ext4_journalled_zero_new_buffers`, `folio_zero_new_buffers`.
  private func keepNewBlock(of folio: Folio) {
    guard !traits.isMemoryOnly, traits.allocation == .plain, isCleanHole(folio) else { return }
    if !folio.contains(.uptodate) {
      machine.memory.contents(of: folio.head)?.initializeMemory(
        as: UInt64.self, repeating: 0, count: 512 << Int(folio.order))
    }
    markWritten(folio)
  }

  /// What a write that ended early made behind the end of the file goes again, and with it the room that it got, if nothing
  /// came into that; in memory it stays. Kernel: `ext4_truncate_failed_write`, `iomap_write_delalloc_release`.
  private func dropUnwritten(_ folio: Folio) {
    let isUnused = traits.allocation == .extents && !folio.contains(.uptodate)
    guard !traits.isMemoryOnly, isUnused || folio.index >= cache.filePages else { return }
    folio.remove(.dirty)
    remove(folio)
  }

  /// A copy never crosses such a border: the largest folio. Kernel: `mapping_max_folio_size`.
  private static var writeSpan: UInt64 { PageSize.bytes << PhysicalMemory.pmdOrder }

  /// A new folio over page `index`, locked: the largest that `count` bytes fill and that fits its place, smaller where one is
  /// in the way or memory is short. Kernel: `__filemap_get_folio` with `fgf_set_order`.
  private func makeFolioToWrite(at index: UInt64, count: UInt64) -> FolioReference? {
    if traits.isMemoryOnly {
      guard let made = fillHole(at: index) else { return nil }
      made.folio.lock()
      return made
    }
    var order: UInt64 = 0
    if traits.allowsLargeFolios, machine.rules.largeFolios.writesMakeThem, count > PageSize.bytes {
      order = min(UInt64(63 - count.leadingZeroBitCount) - PageSize.shift, PhysicalMemory.pmdOrder)
      if index != 0 { order = min(order, UInt64(index.trailingZeroBitCount)) }
    }
    while true {
      if let made = makeFolio(at: index, order: order) { return made }
      guard order > 0 else { return nil }
      order -= 1
    }
  }

  /// The pages of a folio that are written in part, or not at all, need their other bytes first, if the file has any there.
  private func readForWrite(_ folio: Folio, except written: Range<UInt64>) throws(KernelError) {
    let isNew = folio.index >= cache.filePages
    guard !isNew, !traits.isMemoryOnly else {
      machine.memory.contents(of: folio.head)?.initializeMemory(
        as: UInt64.self, repeating: 0, count: 512 << Int(folio.order))
      return
    }
    var missing: [UInt64] = []
    for page in 0..<folio.pageCount {
      let bytes = page << PageSize.shift..<(page + 1) << PageSize.shift
      if written.clamped(to: bytes) != bytes { missing.append(folio.index + page) }
    }
    readRequestsWord.wrappingAdd(1, ordering: .relaxed)
    guard fill(folio, pages: missing) else {
      folio.unlock()
      throw KernelError(.EIO, "the store cannot read page \(missing[0])")
    }
  }
}
