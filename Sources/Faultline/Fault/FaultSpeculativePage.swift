/// The page of a file for a fault without locks: only what the cache has ready.
extension AddressSpace {
  /// The page if it is in the cache, up to date, not locked, and says nothing about readahead. Its folio comes locked
  /// and referenced. Kernel: `filemap_fault` with `FAULT_FLAG_SPECULATIVE`.
  func speculativePage(_ context: inout FaultContext) -> (FaultResult, FaultedPage?) {
    guard let cache = context.area.pointee.cache else { return (context.abort(.unmapped), nil) }
    let index = context.filePage
    guard let folio = XArray.folio(cache.slots(nodes).load(index)) else { return (context.abort(.absent), nil) }
    // What would be refused under the lock is not taken at all.
    if let reason = refusal(of: folio, at: index, in: cache) { return (context.abort(reason), nil) }
    #if DEBUG || ModelCheck
      machine.switches.pass(.folioFound)
    #endif
    guard folio.tryGetAndLock() else { return (context.abort(.locked), nil) }
    let reference = FolioReference(owning: folio, memory: memory)
    if let reason = refusal(of: folio, at: index, in: cache) {
      folio.unlock()
      #if DEBUG || ModelCheck
        if machine.switches.has(.leaksOnAbort) { _ = reference.release() }
      #endif
      return (context.abort(reason), nil)
    }
    if countsHit(of: context.area) { context.forgetMisses(1) }
    return (.locked, FaultedPage(folio: reference.release(), frame: folio.frame(forPage: index)))
  }

  /// Why the faulting page, of which the cache says `entry`, cannot be had without waiting. Then going around it is in
  /// vain: the ordinary fault will go around as well.
  @inline(__always)
  func refusesSpeculation(_ entry: UInt64, at index: UInt64, in cache: PageCachePointer) -> SpeculationAbort? {
    guard let folio = XArray.folio(entry) else { return .absent }
    return folio.isLocked ? .locked : refusal(of: folio, at: index, in: cache)
  }

  /// Under the folio's lock the answer stays true; before, it only saves work.
  ///
  /// It takes the page's index and not the context, which would be copied for it.
  @inline(__always)
  private func refusal(of folio: Folio, at index: UInt64, in cache: PageCachePointer) -> SpeculationAbort? {
    let flags = folio.flags
    if !flags.contains(.uptodate) { return .notUptodate }
    if flags.contains(.readahead) { return .readaheadDue }
    if flags.contains(.poisoned) { return .damaged }
    if !isBelowEnd(index, of: cache) { return .beyondEnd }
    return folio.lies(in: cache) && index &- folio.index < folio.pageCount ? nil : .leftFile
  }

  /// Files in memory know no misses, and neither do random reads. Kernel: `do_async_mmap_readahead`.
  private func countsHit(of area: VMAPointer) -> Bool {
    !area.isMemoryOnly && !area.flags.contains(.randomRead) && area.pointee.readahead?.maximum ?? 0 != 0
  }
}
