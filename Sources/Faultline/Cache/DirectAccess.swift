/// What direct reads and writes need of a file: the cache out of the way, and its store by bytes.
extension FileNode {
  /// Writes back what the cache has of a range of bytes.
  func settle(_ bytes: Range<UInt64>) throws(KernelError) {
    do throws(StoreError) {
      try writeBack(bytes.lowerBound >> PageSize.shift..<PageSize.pages(covering: bytes.upperBound))
    } catch {
      throw KernelError(.EIO, error.message)
    }
  }

  /// Unmaps a range of bytes and drops what the cache has of it. What was stored to since it was settled stays, dirty.
  /// Kernel: `invalidate_inode_pages2_range`.
  func leaveCache(_ bytes: Range<UInt64>) {
    let pages = bytes.lowerBound >> PageSize.shift..<PageSize.pages(covering: bytes.upperBound)
    unmap(pages, includingCopies: false)
    // A larger folio goes as a whole, also for one page of it.
    forEachFolio(in: pages) { folio in
      if folio.order > 0 { unmap(folio.index..<folio.endIndex, includingCopies: false) }
      dropClean(folio.index..<folio.endIndex)
    }
  }

  /// Reads bytes that may begin and end inside a page.
  func readStore(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StoreError) {
    try forEachStorePage(at: offset, count: buffer.count) { page, inPage, part throws(StoreError) in
      try withStorePage(page) { bytes throws(StoreError) in
        UnsafeMutableRawBufferPointer(rebasing: buffer[part]).copyBytes(from: bytes[inPage..<inPage + part.count])
      }
    }
  }

  /// Writes bytes that may begin and end inside a page; what else the page holds stays.
  func writeStore(at offset: UInt64, _ buffer: UnsafeRawBufferPointer) throws(StoreError) {
    try forEachStorePage(at: offset, count: buffer.count) { page, inPage, part throws(StoreError) in
      try withStorePage(page) { bytes throws(StoreError) in
        UnsafeMutableRawBufferPointer(rebasing: bytes[inPage..<inPage + part.count]).copyBytes(from: buffer[part])
        try store?.write(firstPage: page, from: UnsafeRawBufferPointer(bytes))
      }
    }
  }

  /// The file's size after a write that ended at byte `end`.
  func grow(to end: UInt64) {
    cache.pointee.contentLock.lockExclusive()
    defer { cache.pointee.contentLock.unlockExclusive() }
    if end > size { cache.pointee.size.store(end, ordering: .releasing) }
  }

  private func forEachStorePage(
    at offset: UInt64, count: Int,
    _ body: (_ page: UInt64, _ inPage: Int, _ part: Range<Int>) throws(StoreError) -> Void
  ) throws(StoreError) {
    var done = 0
    while done < count {
      let position = offset + UInt64(done)
      let inPage = Int(position & (PageSize.bytes - 1))
      let length = min(count - done, Int(PageSize.bytes) - inPage)
      try body(position >> PageSize.shift, inPage, done..<done + length)
      done += length
    }
  }

  private func withStorePage(
    _ page: UInt64, _ body: (UnsafeMutableRawBufferPointer) throws(StoreError) -> Void
  ) throws(StoreError) {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(PageSize.bytes), alignment: 8)
    defer { bytes.deallocate() }
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
    try store?.read(firstPage: page, into: bytes)
    try body(bytes)
  }
}
