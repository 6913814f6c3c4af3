extension OpenFile {
  /// Writes through the cache and grows the file where needed. pwrite(2). Kernel: `generic_perform_write`.
  ///
  /// - Parameter bytes: what to write; in a machine without contents only its length matters.
  /// - Throws: `EBADF` without write permission, `EIO` when a page that is written in part cannot be read, `ENOMEM`,
  ///   `EINVAL` for a device.
  public func write(at offset: UInt64, _ bytes: UnsafeRawBufferPointer) throws(KernelError) {
    guard isWritable else { throw KernelError(.EBADF, "a write to a descriptor that cannot write") }
    guard UInt64(bytes.count) <= UInt64(Int64.max) - min(offset, UInt64(Int64.max)) else {
      throw KernelError(.EFBIG, "a write past the largest file offset")
    }
    try node.requireFile("write")
    if let dax = node.dax { return try dax.write(at: offset, bytes) }
    if !bytes.isEmpty { node.bringTailBeforeWrite(at: offset) }
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      done += try node.writePiece(offset + UInt64(done), rest, having: rest.count).taken
    }
  }

  /// One step of a write whose bytes are copied while the file's page is locked, so that the copy may end early: only
  /// the first `copied` of `bytes` are there.
  func writePiece(
    at offset: UInt64, _ bytes: UnsafeRawBufferPointer, having copied: Int
  ) throws(KernelError) -> WrittenPiece {
    node.bringTailBeforeWrite(at: offset)
    return try node.writePiece(offset, bytes, having: copied)
  }
}

/// What a step of a write has done, in bytes.
struct WrittenPiece {
  /// Written: those that were there to copy, or none when that would leave a page half made.
  let taken: Int
  /// There to copy, as far as one folio takes them.
  let offered: Int
}

extension FileNode {
  /// The folio of a page that is written, locked: found, unless reclaim takes it before it is locked, or made, unless
  /// another thread's comes first.
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

  /// Writes as much as one folio takes of the first `copied` of the bytes: at least one if all were there to copy.
  /// Kernel: `write_begin` and `write_end`.
  fileprivate func writePiece(
    _ position: UInt64, _ bytes: UnsafeRawBufferPointer, having copied: Int
  ) throws(KernelError) -> WrittenPiece {
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
    if !folio.contains(.uptodate), length < size { try readForWrite(folio, inFolio..<inFolio + length) }
    let offered = min(UInt64(copied), length)
    // What a device's page would lack has to be read; a page in memory is zero there.
    let isMade = traits.isMemoryOnly || folio.contains(.uptodate) || offered == length
    let taken = isMade ? offered : 0
    if let target = machine.memory.contents(of: folio.head), let source = bytes.baseAddress {
      (target + Int(inFolio)).copyMemory(from: source, byteCount: Int(taken))
    }
    // The size grows to where the write stands, on most file systems even if it gets no further.
    let end = position + taken
    if end > self.size, taken > 0 || traits.allocation == .plain { cache.pointee.size.store(end, ordering: .releasing) }
    // XFS has no need to know the blocks of a folio that is written as a whole.
    if folio.order > 0, length < size || traits.allocation == .plain { folio.insert(.hasBlockState) }
    let pages = index..<PageSize.pages(covering: position + length)
    if isMade {
      if traits.isMemoryOnly || length == size { folio.becomeUptodate() } else { folio.noteThere(pages) }
      if taken > 0 || traits.isMemoryOnly { markWritten(folio) }
    }
    if taken < length {
      keepNewBlocks(of: folio, pages)
      dropUnwritten(folio, isGivenUp: offered == 0)
    }
    folio.unlock()
    return WrittenPiece(taken: Int(taken), offered: Int(offered))
  }

  /// Where a write found a hole, there are blocks now, and what was not copied into them is zero. Kernel:
  /// `ext4_journalled_zero_new_buffers`, `folio_zero_new_buffers`.
  private func keepNewBlocks(of folio: Folio, _ pages: Range<UInt64>) {
    guard !traits.isMemoryOnly, traits.allocation == .plain, isCleanHole(folio) else { return }
    if !folio.contains(.uptodate) {
      machine.memory.contents(of: folio.head)?.initializeMemory(
        as: UInt64.self, repeating: 0, count: 512 << Int(folio.order))
      // Through a journal the page is not taken for up to date; it is read when it is wanted.
      if !traits.journalsData { folio.noteThere(pages) }
    }
    markWritten(folio)
  }

  /// What a write that ended early made behind the end of the file goes again, at once where the file system looks, and
  /// with it the room that it got, if nothing came into that. Kernel: `ext4_truncate_failed_write` in journaled writes,
  /// `iomap_write_failed`, `iomap_write_delalloc_release`.
  ///
  /// - Parameter isGivenUp: whether the write ends here, instead of going on with what there was to copy.
  private func dropUnwritten(_ folio: Folio, isGivenUp: Bool) {
    let isEmpty = !folio.contains(.uptodate) && !folio.contains(.partlyUptodate)
    let isUnused = traits.allocation == .extents && isEmpty && isGivenUp
    let cutsTail = isGivenUp || traits.journalsData || traits.allocation == .extents
    guard !traits.isMemoryOnly, isUnused || cutsTail && folio.index >= cache.filePages else { return }
    folio.remove(.dirty)
    remove(folio)
  }

  /// A copy never crosses such a border: the largest folio. Kernel: `mapping_max_folio_size`.
  private static var writeSpan: UInt64 { PageSize.bytes << PhysicalMemory.pmdOrder }

  /// A new folio over page `index`, locked: the largest that `count` bytes fill and that fits its place, smaller where
  /// one is in the way or memory is short. Kernel: `__filemap_get_folio` with `fgf_set_order`.
  private func makeFolioToWrite(at index: UInt64, count: UInt64) -> FolioReference? {
    if traits.isMemoryOnly {
      guard let made = fillHole(at: index) else { return nil }
      made.folio.lock()
      return made
    }
    var order = orderToWrite(at: index, count: count)
    while true {
      if let made = makeFolio(at: index, order: order) { return made }
      guard order > 0 else { return nil }
      order -= 1
    }
  }

  private func orderToWrite(at index: UInt64, count: UInt64) -> UInt64 {
    guard writesLargeFolios, count > PageSize.bytes else { return 0 }
    let order = min(UInt64(63 - count.leadingZeroBitCount) - PageSize.shift, PhysicalMemory.pmdOrder)
    return index == 0 ? order : min(order, UInt64(index.trailingZeroBitCount))
  }

  private var writesLargeFolios: Bool { traits.allowsLargeFolios && machine.rules.largeFolios.writesMakeThem }

  /// The most bytes that a write tries at once. Kernel: `mapping_max_folio_size`.
  var largestPiece: UInt64 { writesLargeFolios ? Self.writeSpan : PageSize.bytes }

  /// How many of `count` bytes from `position` one folio takes, unless somebody changes the cache meanwhile.
  func pieceLength(at position: UInt64, count: UInt64) -> UInt64 {
    let index = position >> PageSize.shift
    var end = index + 1
    if let found = lookUp(index) {
      end = found.folio.endIndex
    } else if traits.isMemoryOnly {
      end = position / largestPiece * largestPiece >> PageSize.shift + largestPiece >> PageSize.shift
    } else {
      var order = orderToWrite(at: index, count: count)
      while order > 0, withSlots({ $0.first(from: index, through: index + (1 << order) - 1) }) != nil { order -= 1 }
      end = index + (1 << order)
    }
    return min(count, end << PageSize.shift - position)
  }

  /// The pages of a folio that are written in part need their other bytes first, if the file has any there.
  private func readForWrite(_ folio: Folio, _ written: Range<UInt64>) throws(KernelError) {
    let isNew = folio.index >= cache.filePages
    if isNew || traits.isMemoryOnly {
      machine.memory.contents(of: folio.head)?.initializeMemory(
        as: UInt64.self, repeating: 0, count: 512 << Int(folio.order))
    }
    guard !traits.isMemoryOnly else { return }
    let missing = partlyWritten(folio, written)
    guard !missing.isEmpty else { return }
    if !isNew {
      readRequestsWord.wrappingAdd(1, ordering: .relaxed)
      guard fill(folio, pages: missing) else {
        folio.unlock()
        throw KernelError(.EIO, "the store cannot read page \(missing[0])")
      }
    } else if traits.allocation == .plain {
      return
    }
    for page in missing { folio.noteThere(page..<page + 1) }
  }

  /// The pages of a folio that bytes `written` of it cover in part, and that are not there. XFS takes all that lie
  /// together with such a page and are not there either. Kernel: `__block_write_begin_int`, `__iomap_write_begin`.
  private func partlyWritten(_ folio: Folio, _ written: Range<UInt64>) -> [UInt64] {
    let pages = written.lowerBound >> PageSize.shift..<PageSize.pages(covering: written.upperBound)
    let first = folio.index
    let missing = folio.runs(in: first + pages.lowerBound..<first + pages.upperBound, there: false)
    let units = traits.allocation == .extents ? missing : missing.flatMap { $0.map { $0..<$0 + 1 } }
    return units.filter { unit in
      let bytes = (unit.lowerBound - first) << PageSize.shift..<(unit.upperBound - first) << PageSize.shift
      return bytes.lowerBound < written.lowerBound || written.upperBound < bytes.upperBound
    }.flatMap { $0 }
  }
}
