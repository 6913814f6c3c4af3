extension OpenFile {
  /// Reads through the cache, with the readahead of read(2). pread(2). Kernel: `filemap_read`.
  ///
  /// - Parameter body: gets each piece in order: its offset from the start of the read and its bytes (`nil` where the
  ///   machine keeps no contents).
  /// - Returns: the bytes read: fewer than `count` at the end of the file.
  /// - Throws: `EBADF` without read permission, `EIO` when the store fails before the first byte, `EINVAL` for a
  ///   device.
  @discardableResult
  public func read(
    at offset: UInt64, count: UInt64, _ body: (_ offset: UInt64, _ length: UInt64, _ bytes: UnsafeRawPointer?) -> Void
  ) throws(KernelError) -> UInt64 {
    try readPieces(at: offset, count: count) {
      body($0, $1, $2)
      return Int($1)
    }
  }

  /// The same; `body` says how many bytes it has taken. If it takes fewer than it gets, the read ends there and brings
  /// nothing further in.
  @discardableResult
  func readPieces(
    at offset: UInt64, count: UInt64, _ body: (_ offset: UInt64, _ length: UInt64, _ bytes: UnsafeRawPointer?) -> Int
  ) throws(KernelError) -> UInt64 {
    guard isReadable else { throw KernelError(.EBADF, "a read from a descriptor that cannot read") }
    try node.requireFile("read")
    if let dax = node.dax { return try dax.read(at: offset, count: count, body) }
    if node.traits.isMemoryOnly { return try node.readMemory(at: offset, count: count, body) }
    var position = offset
    let end = offset &+ min(count, .max - offset)
    while position < min(end, node.size) {
      let batch = try batch(at: position >> PageSize.shift, through: (end - 1) >> PageSize.shift)
      guard let batch else { break }
      let stop = min(end, node.size, batch.upperBound << PageSize.shift)
      position += node.copy(position..<stop) { body(position - offset &+ $0, $1, $2) }
      if position < stop { break }
    }
    // A read at or behind the end leaves no trace: the next one is judged as if this had not been.
    if position > offset { readahead.pointee.previousPosition.store(position, ordering: .relaxed) }
    return position - offset
  }

  /// The pages from `index` on that are in the cache and good, reading as far as needed. Kernel: `filemap_get_pages`.
  private func batch(at index: UInt64, through last: UInt64) throws(KernelError) -> Range<UInt64>? {
    var found = cachedRun(at: index, through: last)
    if found.isEmpty {
      Readahead(file: self).readMissing(at: index, requested: last - index + 1)
      found = cachedRun(at: index, through: last)
    }
    if found.isEmpty {
      guard index < node.cache.filePages else { return nil }
      guard let made = node.makeFolio(at: index) else { return nil }
      node.readRequestsWord.wrappingAdd(1, ordering: .relaxed)
      node.fill(made.folio)
      found = index..<index + 1
    }
    guard let reference = node.lookUp(found.upperBound - 1) else { return nil }
    let folio = reference.folio
    if folio.contains(.readahead) {
      Readahead(file: self).readOn(from: folio, at: folio.index, requested: last + 1 - folio.index)
    }
    if !folio.contains(.uptodate), !folio.hasAll(of: index...last) {
      // Nobody waits for a page before those in front of it were handed out.
      if folio.index > index { return index..<folio.index }
      folio.lock()
      node.readRequestsWord.wrappingAdd(1, ordering: .relaxed)
      guard node.fill(folio) else {
        throw KernelError(.EIO, "the store cannot read page \(folio.index)")
      }
    }
    return found
  }

  /// Cached pages from `index` on, up to the first marked or unread folio (which is the last of them) and at most 31
  /// folios. Kernel: `filemap_get_read_batch`.
  private func cachedRun(at index: UInt64, through last: UInt64) -> Range<UInt64> {
    var end = index
    for _ in 0..<31 {
      guard end <= last, let reference = node.lookUp(end) else { break }
      end = reference.folio.endIndex
      if reference.folio.contains(.readahead) || !reference.folio.contains(.uptodate) { break }
    }
    return index..<end
  }
}

extension FileNode {
  /// Hands out the cached bytes of a range, page by page, until `body` takes fewer than it gets; a page without a folio
  /// reads as zero.
  ///
  /// - Returns: the bytes that were taken.
  func copy(
    _ range: Range<UInt64>, _ body: (_ offset: UInt64, _ length: UInt64, _ bytes: UnsafeRawPointer?) -> Int
  ) -> UInt64 {
    var position = range.lowerBound
    while position < range.upperBound {
      let end = min(range.upperBound, ((position >> PageSize.shift) + 1) << PageSize.shift)
      let inPage = Int(position & (PageSize.bytes - 1))
      position += withFrame(of: position >> PageSize.shift) { frame in
        let bytes = machine.memory.contents(of: frame).map { UnsafeRawPointer($0 + inPage) }
        return UInt64(body(position - range.lowerBound, end - position, bytes))
      }
      if position < end { break }
    }
    return position - range.lowerBound
  }

  /// Calls `body` with the frame of a page, held during the call; the zero page's where there is none.
  private func withFrame(of index: UInt64, _ body: (FramePointer) -> UInt64) -> UInt64 {
    if let reference = lookUp(index) { return body(reference.folio.frame(forPage: index)) }
    return body(machine.memory.frame(machine.zeroFrame))
  }

  /// A read from a file that lives in memory: holes are zero and stay holes. Kernel: `shmem_file_read_iter`.
  fileprivate func readMemory(
    at offset: UInt64, count: UInt64, _ body: (_ offset: UInt64, _ length: UInt64, _ bytes: UnsafeRawPointer?) -> Int
  ) throws(KernelError) -> UInt64 {
    let size = size
    guard offset < size else { return 0 }
    var length = min(count, size - offset)
    if let failed = firstPoisonedPage(in: offset >> PageSize.shift..<PageSize.pages(covering: offset + length)) {
      let start = failed << PageSize.shift
      guard start > offset else { throw KernelError(.EIO, "a read of page \(failed), whose memory has failed") }
      length = start - offset
    }
    _ = copy(offset..<offset + length, body)
    return length
  }

  private func firstPoisonedPage(in pages: Range<UInt64>) -> UInt64? {
    guard machine.poisonedFrames > 0 else { return nil }
    var first: UInt64?
    forEachFolio(in: pages) { folio in
      if first == nil, folio.hasPoison { first = max(folio.index, pages.lowerBound) }
    }
    return first
  }
}
