/// The pages of an address space that one fault-around pass may enter, and the file page of the first.
struct AroundWindow: Equatable {
  var pages: Range<UInt64>
  var filePage: UInt64

  /// The window around `page`: aligned by virtual address, inside one page table and the area. Where the area starts inside
  /// an aligned block, the window is still of full length from the area's start. Kernel: `do_fault_around` (6.4 and later).
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
  /// Nothing here waits, reads or allocates beyond one spare table: a page that is missing, locked, not up to date, marked
  /// for readahead or entered already is passed over.
  ///
  /// - Returns: `noPage` when the faulting page itself was entered; nothing when it was not.
  func mapAround(_ context: inout FaultContext) -> FaultResult {
    guard let cache = context.area.pointee.cache else { return [] }
    let window = AroundWindow(
      around: context.page, in: context.area.pages, filePage: context.filePage,
      windowPages: machine.rules.faultAroundBytes >> PageSize.shift)
    guard context.prepareTable() else { return .outOfMemory }
    let filePages = cache.filePages
    var end = window.filePage &+ (window.pages.upperBound &- window.pages.lowerBound)
    if machine.rules.clipsAroundToFileEnd { end = min(end, filePages) }

    var pass = AroundPass(
      cursor: XArrayCursor(cache.slots(machine.nodes)), cache: cache, index: window.filePage, end: end,
      filePages: filePages, arriving: context.arriving)
    guard let first = pass.nextFolio() else { return [] }
    // The kernel compares the last page's index with one past the folio. So the folio that ends the file is refused here,
    // no table is entered for it, and without one there already nothing is mapped.
    let endsBeforeFile = filePages &- 1 >= first.endIndex || context.area.traits?.isMemoryOnly == true
    let installs = !machine.rules.clipsAroundToFileEnd || endsBeforeFile
    guard let leaf = installs ? context.installTable() : table.leaf(forPage: context.page) else {
      first.unlock()
      first.put(to: machine.memory)
      return []
    }
    return enter(&pass, first, window, leaf, context)
  }

  /// The pass itself. `first` comes locked and referenced.
  private func enter(
    _ pass: inout AroundPass, _ first: Folio, _ window: AroundWindow, _ leaf: PageTable.Table,
    _ context: borrowing FaultContext
  ) -> FaultResult {
    let permissions = context.area.pointee.entryPermissions.load(ordering: .relaxed)
    let young = PageTableEntry.accessedBit
    let neighbours = machine.rules.prefaultsOld ? permissions : permissions | young
    let entries = leaf.entries + PageTable.slot(ofPage: window.pages.lowerBound, level: 0)
    let skipsWorkingset = machine.rules.missSkipsWorkingset
    var result: FaultResult = []
    var entered: UInt64 = 0
    var hits: UInt64 = 0

    let tableLock = table.lock(of: leaf)
    tableLock.pointee.lock.lock()
    var next: Folio? = first
    while let folio = next {
      let flags = folio.head.pointee.flags.load(ordering: .relaxed)
      let entry = entries + Int(pass.index &- window.filePage)
      let isPoisoned = flags & FolioFlags.poisoned.rawValue != 0
      if !isPoisoned, !skipsWorkingset || flags & FolioFlags.workingset.rawValue == 0 { hits &+= 1 }
      if isPoisoned || entry.pointee.load(ordering: .relaxed) != 0 {
        folio.unlock()
        folio.put(to: machine.memory)
        #if DEBUG || ModelCheck
          if machine.switches.has(.putsSkippedNeighbourTwice) { folio.put(to: machine.memory) }
        #endif
      } else {
        #if DEBUG || ModelCheck
          if machine.switches.has(.getsMappedNeighbourTwice) { folio.get() }
        #endif
        let isFaulting = pass.index == context.filePage
        let frame = folio.frame(forPage: pass.index)
        let value = PageTableEntry(
          frame: machine.memory.number(of: frame), permissions: isFaulting ? permissions | young : neighbours)
        if flags >> FolioFlags.orderShift == 0 {
          folio.becomeMappedAndUnlock()
        } else {
          Folio.addMapping(of: frame)
          folio.unlock()
        }
        entry.pointee.store(value.rawValue, ordering: .releasing)
        entered &+= 1
        if isFaulting { result = .noPage }
      }
      pass.index &+= 1
      next = pass.nextFolio()
    }
    tableLock.pointee.lock.unlock()

    machine.events.note(
      EngineEvent(
        .mapAround, file: pass.cache.pointee.node._withUnsafeGuaranteedRef { $0.number }, page: window.filePage,
        count: pass.end &- window.filePage))
    if entered != 0 { countFilePages(entered) }
    context.area.pointee.readahead?.forgetMisses(hits)
    return result
  }
}

/// The scan of a window: yields, page by page, folios that may be mapped without waiting. Kernel: `next_uptodate_folio`.
struct AroundPass {
  var cursor: XArrayCursor
  let cache: PageCachePointer
  /// The page that ``nextFolio()`` looks at next; after it returned a folio, that folio's page.
  var index: UInt64
  let end: UInt64
  let filePages: UInt64
  /// The asynchronous read whose folios are not there yet for this fault.
  let arriving: UInt64

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
    guard flags & (wanted | refused) == wanted, folio.head.pointee.owner.load(ordering: .relaxed) != arriving,
      folio.tryGetAndLock()
    else { return false }
    // Truncation, or a new use of the frame, may have come between the look and the lock.
    if folio.lies(in: cache), folio.contains(.uptodate), index &- folio.index < folio.pageCount, index < filePages {
      return true
    }
    folio.unlock()
    cache.pointee.node._withUnsafeGuaranteedRef { folio.put(to: $0.machine.memory) }
    return false
  }
}
