/// The pages of an address space that one fault-around pass may enter, and the file page of the first.
struct AroundWindow: Equatable {
  var pages: Range<UInt64>
  var filePage: UInt64

  /// The window around `page`: aligned by virtual address, inside one page table and the area. Where the area starts
  /// inside an aligned block, the window is still of full length from the area's start. Kernel: `do_fault_around` (6.4
  /// and later).
  init(around page: UInt64, in areaPages: Range<UInt64>, filePage: UInt64, windowPages: UInt64) {
    let slot = page & (PageSize.entriesPerTable - 1)
    let fromArea = page &- areaPages.lowerBound
    let from = max(slot & ~(windowPages &- 1), slot &- min(slot, fromArea))
    let to = min(from &+ windowPages, PageSize.entriesPerTable, slot &+ (areaPages.upperBound &- page))
    let first = page &- slot &+ from
    pages = first..<(page &- slot &+ to)
    self.filePage = filePage &- (page &- first)
  }
}

extension AddressSpace {
  /// Enters the cached neighbours of a faulting page, in one pass under one table lock. Kernel: `do_fault_around`,
  /// `filemap_map_pages`.
  ///
  /// Nothing here waits, reads or allocates beyond one spare table: a page that is missing, locked, not up to date,
  /// marked for readahead or entered already is passed over.
  ///
  /// - Returns: `noPage` when the faulting page itself was entered; nothing when it was not.
  func mapAround(_ context: inout FaultContext) -> FaultResult {
    guard let cache = context.area.pointee.cache else { return [] }
    let window = AroundWindow(
      around: context.page, in: context.area.pages, filePage: context.filePage,
      windowPages: machine.rules.faultAroundBytes >> PageSize.shift)
    guard context.prepareTable() else { return .outOfMemory }
    context.enterCache()
    defer { context.leaveCache() }
    let filePages = cache.filePages
    var end = window.filePage &+ (window.pages.upperBound &- window.pages.lowerBound)
    if machine.rules.clipsAroundToFileEnd { end = min(end, filePages) }

    var pass = AroundPass(
      cursor: XArrayCursor(cache.slots(nodes)), cache: cache, index: window.filePage, end: end,
      filePages: filePages, arriving: context.arriving)
    if context.isSpeculative,
      let reason = refusesSpeculation(pass.cursor.load(context.filePage), at: context.filePage, in: cache)
    {
      return context.abort(reason)
    }
    guard let first = pass.nextFolio() else {
      #if DEBUG || ModelCheck
        // A value, or a folio that somebody else has locked, is no reason to enter a table.
        let entry = cache.slots(machine.nodes).load(window.filePage)
        if machine.switches.has(XArray.isValue(entry) ? .mapsValueHuge : .entersTableForLockedFolio) {
          _ = context.installTable()
        }
      #endif
      return []
    }
    // No table is entered for a folio that ends the file, and without one there already nothing is mapped.
    let endsBeforeFile = pass.endsBeforeFile(first, clips: machine.rules.clipsAroundToFileEnd)
    if endsBeforeFile, first.order == PhysicalMemory.pmdOrder, mapAroundHuge(first, context) { return .noPage }
    guard let leaf = endsBeforeFile ? context.installTable() : context.middle.leaf, context.lock(leaf) else {
      first.unlock()
      first.put(to: memory)
      return context.speculation?.abort == nil ? [] : .retry
    }
    return enter(&pass, first, window, leaf, &context)
  }

  /// Tries one entry for the window's first folio, which comes locked and referenced. What is refused stays both.
  /// Kernel: `filemap_map_pmd`.
  ///
  /// - Returns: whether a huge entry stands now, this one or another's; then the folio is unlocked and its reference
  ///   gone.
  private func mapAroundHuge(_ folio: Folio, _ context: borrowing FaultContext) -> Bool {
    let outcome = mapHuge(FolioReference(owning: folio, memory: memory), context)
    switch consume outcome {
    case .mapped:
      folio.unlock()
      return true
    case .refused(let reference, _):
      let present = context.middle.entry.isHuge
      #if DEBUG || ModelCheck
        if machine.switches.fires(.believesRefusedHuge) {
          folio.unlock()
          _ = reference.release()
          return true
        }
      #endif
      if present { folio.unlock() } else { _ = reference.release() }
      return present
    }
  }

  /// The pass itself, under the lock of `leaf`, which it gives back. `first` comes locked and referenced.
  private func enter(
    _ pass: inout AroundPass, _ first: Folio, _ window: AroundWindow, _ leaf: PageTable.Table,
    _ context: inout FaultContext
  ) -> FaultResult {
    let permissions = context.area.pointee.entryPermissions.load(ordering: .relaxed)
    let young = PageTableEntry.accessedBit
    let neighbours = machine.rules.prefaultsOld ? permissions : permissions | young
    let entries = leaf.entries + PageTable.slot(ofPage: window.pages.lowerBound, level: 0)
    let skipsWorkingset = machine.rules.missSkipsWorkingset
    var result: FaultResult = []
    var entered: UInt64 = 0
    var hits: UInt64 = 0

    var next: Folio? = first
    while let folio = next {
      let flags = folio.head.pointee.flags.load(ordering: .relaxed)
      let counts = !skipsWorkingset || flags & FolioFlags.workingset.rawValue == 0
      if flags >> FolioFlags.orderShift != 0 {
        let run = enterLarge(folio, &pass, window, leaf, context)
        if counts { hits &+= run.examined }
        entered &+= run.entered
        if run.entersFaulting { result = .noPage }
        next = pass.nextFolio()
        continue
      }
      let entry = entries + Int(pass.index &- window.filePage)
      let isPoisoned = flags & FolioFlags.poisoned.rawValue != 0
      if !isPoisoned, counts { hits &+= 1 }
      if isPoisoned || entry.pointee.load(ordering: .relaxed) != 0 {
        folio.unlock()
        folio.put(to: memory)
        #if DEBUG || ModelCheck
          if machine.switches.has(.putsSkippedNeighbourTwice) { folio.put(to: memory) }
        #endif
      } else {
        #if DEBUG || ModelCheck
          if machine.switches.has(.getsMappedNeighbourTwice) { folio.get() }
        #endif
        let isFaulting = pass.index == context.filePage
        let value = PageTableEntry(
          frame: memory.number(of: folio.head), permissions: isFaulting ? permissions | young : neighbours)
        folio.becomeMappedAndUnlock()
        entry.pointee.store(value.rawValue, ordering: .releasing)
        entered &+= 1
        if isFaulting { result = .noPage }
      }
      pass.index &+= 1
      next = pass.nextFolio()
    }
    table.lock(of: leaf).pointee.lock.unlock()

    events.note(
      EngineEvent(
        .mapAround, file: pass.cache.pointee.node._withUnsafeGuaranteedRef { $0.number }, page: window.filePage,
        count: pass.end &- window.filePage))
    if entered != 0 { countFilePages(entered) }
    context.forgetMisses(hits)
    return result
  }

  /// Enters the pages of one large folio: those in the window, or all of them where the kernel maps folios whole. The
  /// folio comes locked and referenced and is given back. Kernel: `filemap_map_folio_range`.
  private func enterLarge(
    _ folio: Folio, _ pass: inout AroundPass, _ window: AroundWindow, _ leaf: PageTable.Table,
    _ context: borrowing FaultContext
  ) -> (examined: UInt64, entered: UInt64, entersFaulting: Bool) {
    let first = window.pages.lowerBound &+ (pass.index &- window.filePage)
    var pages = first..<first &+ (min(folio.endIndex, pass.end, pass.filePages) &- pass.index)
    let rules = machine.rules
    if rules.largeFolios.mapsWhole, pass.endsBeforeFile(folio, clips: rules.clipsAroundToFileEnd),
      let all = context.pages(of: folio)
    {
      pages = all
    }
    pass.index = max(folio.endIndex, pass.index &+ 1)
    defer {
      folio.unlock()
      folio.put(to: memory)
    }
    let hasPoison = folio.hasPoison
    func hasFailed(_ page: UInt64) -> Bool {
      hasPoison && Folio(head: folio.frame(forPage: context.filePage &+ page &- context.page)).contains(.poisoned)
    }
    let permissions = context.area.pointee.entryPermissions.load(ordering: .relaxed)
    let young = PageTableEntry.accessedBit
    var entered: UInt64 = 0
    var entersFaulting = false
    var page = pages.lowerBound
    while page < pages.upperBound {
      let entries = leaf.entries + PageTable.slot(ofPage: page, level: 0)
      var run = 0
      while page &+ UInt64(run) < pages.upperBound, entries[run].load(ordering: .relaxed) == 0,
        !hasFailed(page &+ UInt64(run))
      {
        run += 1
      }
      if run > 0 {
        let holdsFaulting = page <= context.page && context.page < page &+ UInt64(run)
        let isOld = machine.rules.prefaultsOld && !holdsFaulting
        let frame = folio.frame(forPage: context.filePage &+ page &- context.page)
        folio.get(UInt64(run))
        enter(frame, count: run, at: entries, isOld ? permissions : permissions | young)
        entered &+= UInt64(run)
        entersFaulting = entersFaulting || holdsFaulting
      }
      page &+= UInt64(run) &+ 1
    }
    let examined = hasPoison ? pages.count { !hasFailed($0) } : pages.count
    return (UInt64(examined), entered, entersFaulting)
  }
}

/// The scan of a window: yields, page by page, folios that may be mapped without waiting. Kernel:
/// `next_uptodate_folio`.
struct AroundPass {
  var cursor: XArrayCursor
  let cache: PageCachePointer
  /// The page that ``nextFolio()`` looks at next; after it returned a folio, that folio's page.
  var index: UInt64
  let end: UInt64
  let filePages: UInt64
  /// The first read whose folios are not there yet for this fault.
  let arriving: UInt64

  /// Whether the folio may be mapped beyond the window. Kernels that clip the window compare the last page's index with
  /// one past the folio, so that the folio which ends the file may not. Files in memory have always been let through.
  func endsBeforeFile(_ folio: Folio, clips: Bool) -> Bool {
    !clips || filePages &- 1 >= folio.endIndex
      || cache.pointee.node._withUnsafeGuaranteedRef { $0.traits.isMemoryOnly }
  }

  /// The next acceptable folio at or after `index`, locked and referenced.
  @inline(__always)
  mutating func nextFolio() -> Folio? {
    while index < end {
      if let folio = XArray.folio(cursor.load(index)), accept(folio) { return folio }
      index &+= 1
    }
    return nil
  }

  @inline(__always)
  private func accept(_ folio: Folio) -> Bool {
    let wanted = FolioFlags.uptodate.rawValue
    let refused = FolioFlags.readahead.rawValue
    let flags = folio.head.pointee.flags.load(ordering: .relaxed)
    guard flags & (wanted | refused) == wanted, folio.head.pointee.owner.load(ordering: .relaxed) < arriving,
      folio.tryGetAndLock()
    else { return false }
    // Truncation, or a new use of the frame, may have come between the look and the lock.
    if folio.lies(in: cache), folio.contains(.uptodate), index &- folio.index < folio.pageCount, index < filePages {
      return true
    }
    folio.unlock()
    cache.pointee.node._withUnsafeGuaranteedRef { folio.put(to: $0.memory) }
    return false
  }
}
