/// A page that a file's fault station brings: its folio is locked and referenced.
struct FaultedPage {
  let folio: Folio
  let frame: FramePointer
}

extension AddressSpace {
  /// Asks the file for the page. Kernel: `__do_fault`.
  func faultPage(_ context: inout FaultContext) -> (FaultResult, FaultedPage?) {
    if context.isSpeculative { return speculativePage(&context) }
    guard context.prepareTable() else { return (.outOfMemory, nil) }
    guard let file = context.area.pointee.file else { return (.busError, nil) }
    let (result, found) = file._withUnsafeGuaranteedRef {
      $0.node.traits.isMemoryOnly ? faultMemoryPage(&context, $0) : faultCachePage(&context, $0)
    }
    guard let found else { return (result, nil) }
    guard !Folio(head: found.frame).contains(.poisoned) else {
      found.folio.unlock()
      found.folio.put(to: memory)
      return (.poisoned, nil)
    }
    return (result, found)
  }

  /// The page from the cache, read if it must be. Kernel: `filemap_fault`.
  private func faultCachePage(_ context: inout FaultContext, _ file: OpenFile) -> (FaultResult, FaultedPage?) {
    let node = file.node
    let index = context.filePage
    guard index < node.cache.filePages else { return (.busError, nil) }
    events.note(EngineEvent(.fileFault, file: node.number, page: index))
    var droppedLock = false
    var result: FaultResult = []
    var found = context.lookUp(in: node)
    if let folio = found?.folio {
      let read = folio.head.pointee.owner.load(ordering: .relaxed)
      let mustWait = read >= context.arriving
      if mustWait { context.arriving = read &+ 1 }
      if !context.flags.contains(.tried) { droppedLock = readAheadOnHit(&context, file, folio, isArriving: mustWait) }
      if mustWait {
        guard context.mayWait else { return (.retry, nil) }
        dropLockIfAllowed(&context, &droppedLock)
      }
    } else {
      result = .major
      let number = machine.reads.wrappingAdd(1, ordering: .relaxed).newValue
      droppedLock = readAheadOnMiss(&context, file, number)
      found = context.lookUp(in: node)
      // Whoever waits for one page of a read has the others too. Nobody waits for a page in a hole.
      let read = found?.folio.head.pointee.owner.load(ordering: .relaxed) ?? number
      if found != nil, read == number, !context.mayWait { return (.retry, nil) }
      context.arriving = read == number ? FaultTask.nothing : min(context.arriving, number)
    }
    while true {
      let reference: FolioReference
      if let present = found.take() {
        reference = present
      } else {
        guard let made = makePage(node, index) else {
          if droppedLock { return (result.union(.retry), nil) }
          return (isBelowEnd(index, of: node.cache) ? .outOfMemory : .busError, nil)
        }
        reference = made
      }
      let folio = reference.folio
      #if DEBUG || ModelCheck
        machine.switches.pass(.folioFound)
      #endif
      if !folio.tryLock() {
        guard context.mayWait else { return (.retry, nil) }
        dropLockIfAllowed(&context, &droppedLock)
        folio.lock()
      }
      guard isStillCached(folio, in: node) else {
        folio.unlock()
        found = context.lookUp(in: node)
        continue
      }
      if !folio.contains(.uptodate) {
        dropLockIfAllowed(&context, &droppedLock)
        node.readRequestsWord.wrappingAdd(1, ordering: .relaxed)
        let good = node.fill(folio)
        // Whether it worked is for the next attempt to find out; only one that keeps the lock reports a failure.
        if droppedLock { return (result.union(.retry), nil) }
        guard good else { return (.busError, nil) }
        // The read counts as begun; that it is over already is for the next call to find.
        guard context.mayWait else { return (.retry, nil) }
        found = context.lookUp(in: node)
        continue
      }
      if droppedLock {
        folio.unlock()
        return (result.union(.retry), nil)
      }
      guard isBelowEnd(index, of: node.cache) else {
        folio.unlock()
        return (.busError, nil)
      }
      return (result.union(.locked), FaultedPage(folio: reference.release(), frame: folio.frame(forPage: index)))
    }
  }

  /// Under the folio's lock: truncation may have taken it out since it was found.
  @inline(__always)
  private func isStillCached(_ folio: Folio, in node: FileNode) -> Bool {
    #if DEBUG || ModelCheck
      if machine.switches.has(.skipsMappingCheck) { return true }
    #endif
    return folio.lies(in: node.cache)
  }

  /// Under the folio's lock: truncation changes the size first and takes this lock after.
  @inline(__always)
  func isBelowEnd(_ index: UInt64, of cache: PageCachePointer) -> Bool {
    #if DEBUG || ModelCheck
      if machine.switches.has(.skipsSizeCheck) { return true }
    #endif
    return index < cache.filePages
  }

  /// The page of a file that lives in memory, made and zeroed where there was none. Kernel: `shmem_fault`.
  private func faultMemoryPage(_ context: inout FaultContext, _ file: OpenFile) -> (FaultResult, FaultedPage?) {
    let node = file.node
    let index = context.filePage
    while true {
      guard index < node.cache.filePages else { return (.busError, nil) }
      guard let reference = context.lookUp(in: node) ?? node.fillHole(at: index, for: context.area) else {
        return (.outOfMemory, nil)
      }
      if !reference.folio.tryLock() {
        guard context.mayWait else { return (.retry, nil) }
        reference.folio.lock()
      }
      guard reference.folio.lies(in: node.cache), index < node.cache.filePages else {
        reference.folio.unlock()
        continue
      }
      // What was only set aside is zero from now on.
      if !reference.folio.contains(.uptodate) { reference.folio.insert(.uptodate) }
      let folio = reference.release()
      return (.locked, FaultedPage(folio: folio, frame: folio.frame(forPage: index)))
    }
  }

  /// A page in the cache, unlocked and perhaps not up to date: found or made. `nil` without memory or beyond the end.
  private func makePage(_ node: FileNode, _ index: UInt64) -> FolioReference? {
    node.cache.pointee.contentLock.lockShared()
    defer { node.cache.pointee.contentLock.unlockShared() }
    // Another thread's page may come first and be gone again before it is found.
    for _ in 0..<FileNode.attemptsToMake {
      if let found = node.lookUp(index) { return found }
      // Truncation holds the content lock: no page is made behind an end that it has set.
      guard isBelowEnd(index, of: node.cache) else { return nil }
      if let made = node.makeFolio(at: index) {
        made.folio.unlock()
        return made
      }
    }
    return nil
  }

  /// Gives up the fault's lock for the length of a wait, if this attempt may. Kernel: `maybe_unlock_mmap_for_io`.
  private func dropLockIfAllowed(_ context: inout FaultContext, _ dropped: inout Bool) {
    guard !dropped, context.flags.mayDropLock, context.mayWait else { return }
    context.keepFile()
    unlock(context.area, after: context.flags)
    dropped = true
  }

  /// A fault that must read: the window that goes with the area's advice. Kernel: `do_sync_mmap_readahead`.
  ///
  /// - Returns: whether the lock was dropped.
  private func readAheadOnMiss(_ context: inout FaultContext, _ file: OpenFile, _ number: UInt64) -> Bool {
    let state = file.readahead
    let flags = context.area.flags
    let readsForward = machine.rules.readahead.executableReadsForward && flags.contains(.execute)
    var dropped = false
    if flags.contains(.hugePage) {
      dropLockIfAllowed(&context, &dropped)
      readHuge(at: context.filePage, Readahead(file: file, number: number), isRandom: flags.contains(.randomRead))
      return dropped
    }
    if flags.contains(.randomRead), !readsForward { return dropped }
    guard state.maximum != 0 else { return dropped }
    let readahead = Readahead(file: file, number: number)
    if flags.contains(.sequentialRead) {
      dropLockIfAllowed(&context, &dropped)
      readahead.readMissing(at: context.filePage, requested: state.maximum)
      return dropped
    }
    guard state.countMiss() <= ReadaheadPointer.lotsOfMisses else { return dropped }
    let window = readsForward ? forwardWindow(context, state.maximum) : aroundWindow(context, state.maximum)
    state.window = window
    state.pointee.order.store(0, ordering: .relaxed)
    dropLockIfAllowed(&context, &dropped)
    readahead.submit(window, order: 0)
    return dropped
  }

  /// The 2 MiB around the page, and the next ones unless reads are random; whatever the readahead window is otherwise.
  /// The window's start stays what it was, as in the kernel.
  private func readHuge(at page: UInt64, _ readahead: Readahead, isRandom: Bool) {
    let span = PageSize.entriesPerTable
    let state = readahead.state
    let size = isRandom ? span : 2 * span
    state.pointee.size.store(size, ordering: .relaxed)
    state.pointee.asyncSize.store(span, ordering: .relaxed)
    state.pointee.order.store(PhysicalMemory.pmdOrder, ordering: .relaxed)
    let window = ReadaheadWindow(start: page & ~(span - 1), size: size, asyncSize: span)
    readahead.submit(window, order: PhysicalMemory.pmdOrder)
  }

  /// Half of the largest window before the page and half after, the marker at three quarters.
  private func aroundWindow(_ context: borrowing FaultContext, _ maximum: UInt64) -> ReadaheadWindow {
    let start = context.filePage > maximum / 2 ? context.filePage - maximum / 2 : 0
    return ReadaheadWindow(start: start, size: maximum, asyncSize: maximum / 4)
  }

  /// From the page on, inside the area, without a marker: programs jump about in their code.
  private func forwardWindow(_ context: borrowing FaultContext, _ maximum: UInt64) -> ReadaheadWindow {
    let areaEnd = context.area.filePage(of: context.area.end)
    let end = min(context.filePage &+ maximum, areaEnd)
    return ReadaheadWindow(start: context.filePage, size: end - context.filePage, asyncSize: 0)
  }

  /// A fault that found its page: one miss fewer, and the next window if the folio is marked.
  /// Kernel: `do_async_mmap_readahead`.
  ///
  /// - Returns: whether the lock was dropped.
  private func readAheadOnHit(
    _ context: inout FaultContext, _ file: OpenFile, _ folio: Folio, isArriving: Bool
  ) -> Bool {
    let state = file.readahead
    var dropped = false
    guard !context.area.flags.contains(.randomRead), state.maximum != 0 else { return dropped }
    if !machine.rules.missSkipsLocked || !(folio.isLocked || isArriving) { state.forgetMisses(1) }
    if folio.contains(.readahead) {
      dropLockIfAllowed(&context, &dropped)
      let number = machine.reads.wrappingAdd(1, ordering: .relaxed).newValue
      context.arriving = min(context.arriving, number)
      Readahead(file: file, number: number)
        .readOn(from: folio, at: context.filePage, requested: state.maximum)
    }
    return dropped
  }
}
