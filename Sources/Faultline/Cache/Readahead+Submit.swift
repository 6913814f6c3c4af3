extension Readahead {
  /// Reads a window in folios of up to `order`, with the marker `asyncSize` pages before its end.
  /// Kernel: `page_cache_ra_order`.
  func submit(_ window: ReadaheadWindow, order wanted: UInt64) {
    var window = window
    // A window that pushes its own first pages out again would be read for ever.
    window.size = min(window.size, node.machine.cacheLimit ?? .max)
    node.machine.events.note(windowEvent(window, order: wanted))
    guard node.traits.allowsLargeFolios, window.size >= 4 || !rules.raisesEveryOrder else {
      state.pointee.order.store(0, ordering: .relaxed)
      return submitPages(at: window.start, count: window.size, asyncSize: window.asyncSize)
    }
    let filePages = node.cache.filePages
    guard window.size > 0, filePages > 0 else { return }
    let raised = rules.raisesEveryOrder ? wanted + 2 : wanted
    let order = min(raised, PhysicalMemory.pmdOrder, UInt64(63 - window.size.leadingZeroBitCount))
    if rules.alignsToOrder { state.pointee.order.store(order, ordering: .relaxed) }
    let mark = window.start &+ window.size &- window.asyncSize
    let last = min(filePages - 1, window.start &+ window.size &- 1)
    var batch = ReadBatch(node: node, number: number)
    var index = window.start
    while index <= last {
      var fits = order
      if index & ((1 << order) - 1) != 0 { fits = UInt64(index.trailingZeroBitCount) }
      while fits > 0, index &+ (1 << fits) &- 1 > last { fits -= 1 }
      if fits == 1, rules.makesNoPairs { fits = 0 }
      guard batch.append(at: index, order: fits, marked: index == mark & ~((1 << fits) - 1)) else { break }
      index &+= 1 << fits
    }
    batch.read()
    if index <= last {
      submitPages(at: index, count: window.size &- (index &- window.start), asyncSize: window.asyncSize)
    }
  }

  private func windowEvent(_ window: ReadaheadWindow, order: UInt64) -> EngineEvent {
    var event = EngineEvent(.readWindow, node, page: window.start, state)
    event.order = order
    return event
  }

  private func pagesEvent(at index: UInt64, count: UInt64, lookahead: UInt64) -> EngineEvent {
    var event = EngineEvent(.readPages, file: node.number, page: index, count: count)
    event.lookahead = lookahead
    return event
  }

  /// Reads single pages, past those that are there already, up to the end of the file.
  /// Kernel: `do_page_cache_ra`, `page_cache_ra_unbounded`.
  func submitPages(at index: UInt64, count: UInt64, asyncSize: UInt64) {
    let filePages = node.cache.filePages
    guard index < filePages else { return }
    let count = min(count, filePages - index, node.machine.cacheLimit ?? .max)
    node.machine.events.note(pagesEvent(at: index, count: count, lookahead: asyncSize))
    // The marker is placed after clipping, so near the end of the file it moves towards the start.
    let mark = asyncSize <= count ? index &+ count &- asyncSize : .max
    var batch = ReadBatch(node: node, number: number)
    for page in index..<index &+ count where !batch.append(at: page, order: 0, marked: page == mark) {
      batch.read()
    }
    batch.read()
  }
}

/// A run of new, locked folios that is read from the store in one request.
struct ReadBatch {
  private let node: FileNode
  private let number: UInt64
  private var start: UInt64 = 0
  private var end: UInt64 = 0

  init(node: FileNode, number: UInt64 = 0) {
    self.node = node
    self.number = number
  }

  /// Makes the folio for `index`; `false` when a folio is there already or there is no memory.
  ///
  /// The run goes on only from its own end: an append elsewhere must follow a ``read()``.
  mutating func append(at index: UInt64, order: UInt64, marked: Bool) -> Bool {
    guard let folio = node.makeFolio(at: index, order: order)?.folio else { return false }
    folio.head.pointee.owner.store(number, ordering: .relaxed)
    if marked { folio.insert(.readahead) }
    if start == end { start = index }
    end = index &+ (1 << order)
    return true
  }

  /// Reads what was appended and unlocks it. What the store refuses stays not up to date.
  mutating func read() {
    guard start < end else { return }
    node.readRequestsWord.wrappingAdd(1, ordering: .relaxed)
    var index = start
    while index < end, let folio = node.withSlots({ XArray.folio($0.load(index)) }) {
      // Nobody waits for a hole: it is zeroed when the read is set up. Kernel: `ext4_mpage_readpages`.
      if number != 0, node.isHole(folio) { folio.head.pointee.owner.store(0, ordering: .relaxed) }
      // Before it is unlocked: nobody holds it then, and its frame may be in another place a moment later.
      index = folio.endIndex
      node.fill(folio)
    }
    start = end
  }
}

extension FileNode {
  /// Sees to it that `pages` are in the cache and up to date, as single pages without markers, as if the file had been
  /// written or read long ago. Counts no reads.
  public func makeResident(_ pages: Range<UInt64>) {
    // A device has no cached pages.
    guard device == nil else { return }
    let pages = pages.clamped(to: 0..<cache.filePages)
    for index in pages {
      guard let folio = makeFolio(at: index)?.folio else { continue }
      load(folio)
    }
  }

  /// Reads what a locked folio lacks from the store, marks it up to date if that worked, and unlocks it. Kernel:
  /// `read_folio`.
  ///
  /// - Returns: whether the contents are there.
  @discardableResult
  func fill(_ folio: Folio) -> Bool {
    let missing = folio.runs(in: folio.index..<folio.endIndex, there: false)
    pagesReadWord.wrappingAdd(missing.reduce(0) { $0 + UInt64($1.count) }, ordering: .relaxed)
    return load(folio)
  }

  /// Reads some pages of a locked folio, which stays locked and is not up to date by this.
  ///
  /// - Returns: whether all of them are there.
  func fill(_ folio: Folio, pages: [UInt64]) -> Bool {
    pagesReadWord.wrappingAdd(UInt64(pages.count), ordering: .relaxed)
    for page in pages {
      guard let bytes = machine.memory.contents(of: folio.frame(forPage: page)) else { return true }
      guard read(page, into: UnsafeMutableRawBufferPointer(start: bytes, count: Int(PageSize.bytes))) else {
        return false
      }
    }
    return true
  }

  @discardableResult
  private func load(_ folio: Folio) -> Bool {
    let good = !machine.memory.hasContents || readMissing(of: folio)
    if good { folio.becomeUptodate() }
    folio.unlock()
    return good
  }

  private func readMissing(of folio: Folio) -> Bool {
    for run in folio.runs(in: folio.index..<folio.endIndex, there: false) {
      guard let bytes = machine.memory.contents(of: folio.frame(forPage: run.lowerBound)) else { continue }
      let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: run.count << PageSize.shift)
      guard read(run.lowerBound, into: buffer) else { return false }
    }
    return true
  }

  private func read(_ firstPage: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
    guard let store else {
      buffer.initializeMemory(as: UInt8.self, repeating: 0)
      return true
    }
    do {
      try store.read(firstPage: firstPage, into: buffer)
      return true
    } catch {
      return false
    }
  }
}
