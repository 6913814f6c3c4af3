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
    if !bytes.isEmpty { node.bringTailBeforeWrite(at: offset) }
    var done = 0
    while done < bytes.count {
      let position = offset + UInt64(done)
      let inPage = Int(position & (PageSize.bytes - 1))
      let length = min(bytes.count - done, Int(PageSize.bytes) - inPage)
      try node.writePage(position, UnsafeRawBufferPointer(rebasing: bytes[done..<done + length]))
      done += length
    }
  }
}

extension FileNode {
  /// Writes bytes that lie in one page.
  fileprivate func writePage(_ position: UInt64, _ bytes: UnsafeRawBufferPointer) throws(KernelError) {
    let index = position >> PageSize.shift
    let isWhole = bytes.count == Int(PageSize.bytes)
    cache.pointee.contentLock.lockShared()
    defer { cache.pointee.contentLock.unlockShared() }
    let folio: Folio
    let reference: FolioReference
    if let found = lookUp(index) {
      reference = found
      folio = reference.folio
      folio.lock()
    } else {
      guard let made = makeFolio(at: index) else { throw KernelError(.ENOMEM, "no memory for page \(index)") }
      reference = made
      folio = reference.folio
    }
    guard !folio.contains(.poisoned) else {
      folio.unlock()
      throw KernelError(.EIO, "a write to page \(index), whose memory has failed")
    }
    if !folio.contains(.uptodate), !isWhole { try readForWrite(folio, index) }
    if let target = machine.memory.contents(of: folio.frame(forPage: index)) {
      (target + Int(position & (PageSize.bytes - 1))).copyMemory(
        from: bytes.baseAddress.unsafelyUnwrapped, byteCount: bytes.count)
    }
    folio.insert(.uptodate)
    let end = position + UInt64(bytes.count)
    if end > size { cache.pointee.size.store(end, ordering: .releasing) }
    markDirty(folio)
    folio.unlock()
  }

  /// A page that is written in part needs its other bytes first, if the file has any there.
  private func readForWrite(_ folio: Folio, _ index: UInt64) throws(KernelError) {
    guard index < cache.filePages, !traits.isMemoryOnly else {
      machine.memory.contents(of: folio.head)?.initializeMemory(
        as: UInt64.self, repeating: 0, count: 512 << Int(folio.order))
      return
    }
    readRequestsWord.wrappingAdd(1, ordering: .relaxed)
    guard fill(folio) else { throw KernelError(.EIO, "the store cannot read page \(index)") }
    folio.lock()
  }
}
