import Faultline
import Synchronization

/// A file of a ``PlacedVolume``.
public final class PlacedFile: DAXFile {
  /// One page of the file that has a block.
  struct Block: Equatable {
    var place: UInt64
    var isWritten: Bool
  }

  struct State {
    var size: UInt64 = 0
    var blocks: [UInt64: Block] = [:]
    /// Places that the running transaction gives back.
    var freed: Set<UInt64> = []
    /// The transaction that runs, the one that has last changed what finding the data needs, and the last that is durable.
    var running: UInt64 = 1
    var datasync: UInt64 = 0
    var committed: UInt64 = 0
    var commits: UInt64 = 0
    var failsCommits = false
    /// Whether the request that is being answered has made a block written.
    var isNew = false
    /// The blocks and the size that a crash would leave.
    var durable: [UInt64: Block] = [:]
    var durableSize: UInt64 = 0
  }

  public let name: String
  public let inode: UInt64
  /// See ``PlacedVolume/makeFile(_:residue:)``.
  let residue: UInt64
  private let volume: PlacedVolume
  private let state = Mutex(State())

  init(name: String, inode: UInt64, residue: UInt64, volume: PlacedVolume) {
    self.name = name
    self.inode = inode
    self.residue = residue
    self.volume = volume
  }

  public var device: any DAXDevice { volume.device }
  public var size: UInt64 { state.withLock { $0.size } }

  /// How often metadata was made durable.
  public var commits: UInt64 { state.withLock { $0.commits } }

  /// Refuses every commit from now on, or no longer.
  public func failCommits(_ fails: Bool = true) { state.withLock { $0.failsCommits = fails } }

  /// Whether a crash would leave page `page` written on this page of the device, inside the file.
  public func survives(page: UInt64, on place: UInt64) -> Bool {
    state.withLock {
      $0.durable[page] == Block(place: place, isWritten: true) && page << PageSize.shift < $0.durableSize
    }
  }

  /// Consecutive pages with consecutive blocks of one kind.
  public struct Extent: Sendable, Hashable {
    public var pages: Range<UInt64>
    /// The first page on the device.
    public var place: UInt64
    public var isWritten: Bool
  }

  /// In the order of the file.
  public var extents: [Extent] {
    state.withLock { state in
      var found: [Extent] = []
      for (page, block) in state.blocks.sorted(by: { $0.key < $1.key }) {
        if let last = found.last, last.pages.upperBound == page, last.isWritten == block.isWritten,
          last.place + UInt64(last.pages.count) == block.place
        {
          found[found.count - 1].pages = last.pages.lowerBound..<page + 1
        } else {
          found.append(Extent(pages: page..<page + 1, place: block.place, isWritten: block.isWritten))
        }
      }
      return found
    }
  }

  // MARK: DAXFile

  public func map(
    _ range: Range<UInt64>, for request: IOMapRequest, window: Range<UInt64>
  ) throws(KernelError) -> IOMap {
    let page = range.lowerBound >> PageSize.shift
    let end = max(page + 1, PageSize.pages(covering: range.upperBound))
    if request.contains(.write) {
      let isHole = state.withLock { $0.blocks[page] == nil }
      try allocate(page..<end)
      if isHole {
        prepare(window.lowerBound >> PageSize.shift..<window.upperBound >> PageSize.shift, around: page..<end)
      }
    }
    return state.withLock { state in
      let isNew = request.contains(.write) && state.isNew
      state.isNew = false
      return state.map(page..<end, isNew: isNew)
    }
  }

  public func endMap(_ map: IOMap, for request: IOMapRequest, written: UInt64) throws(KernelError) {}
  public func beginHandle() throws(KernelError) {}
  public func endHandle() {}

  public func commit(dataOnly: Bool) throws(KernelError) {
    let isRefused = state.withLock { state in
      guard state.datasync > state.committed else { return false }
      if state.failsCommits { return true }
      state.committed = state.running
      state.running += 1
      state.commits += 1
      state.freed = []
      state.durable = state.blocks
      state.durableSize = state.size
      return false
    }
    if isRefused { throw KernelError(.EIO, "a commit was made to fail") }
  }

  public func isDurable(_ range: Range<UInt64>, at address: UInt64) -> Bool? {
    let first = range.lowerBound >> PageSize.shift
    return (first..<PageSize.pages(covering: range.upperBound)).allSatisfy {
      survives(page: $0, on: address >> PageSize.shift + ($0 - first))
    }
  }

  public func resize(to size: UInt64) throws(KernelError) {
    let tail = state.withLock { state -> Range<UInt64>? in
      let old = state.size
      state.size = size
      if size != old { state.datasync = state.running }
      guard size < old else { return nil }
      state.free(from: PageSize.pages(covering: size), to: .max)
      return state.tail(behind: size)
    }
    if let tail { zero(tail) }
  }

  public func change(_ change: RangeChange, _ range: Range<UInt64>, keepSize: Bool) throws(KernelError) {
    let whole =
      PageSize.pages(
        covering: range.lowerBound)..<max(
        PageSize.pages(covering: range.lowerBound), range.upperBound >> PageSize.shift)
    if change == .allocate {
      for page in range.lowerBound >> PageSize.shift..<PageSize.pages(covering: range.upperBound) {
        try add(page, isWritten: false)
      }
    } else {
      for edge in edges(of: range) { zero(edge) }
    }
    for page in whole where change == .zeroRange { try add(page, isWritten: false) }
    state.withLock { state in
      if change == .punchHole { state.free(from: whole.lowerBound, to: whole.upperBound) }
      if change == .zeroRange { for page in whole { state.blocks[page]?.isWritten = false } }
      if change != .punchHole, !keepSize, range.upperBound > state.size { state.size = range.upperBound }
      state.datasync = state.running
    }
  }

  // MARK: Blocks

  /// Gives every page of a range a written block; what becomes written is zero.
  private func allocate(_ pages: Range<UInt64>) throws(KernelError) {
    var zeroed: [UInt64] = []
    for page in pages {
      switch state.withLock({ $0.blocks[page] }) {
      case .some(let block) where block.isWritten: continue
      case .some: zeroed += state.withLock { $0.convert(page, in: pages, volume.conversion) }
      case nil:
        try add(page, isWritten: true)
        zeroed.append(page)
      }
    }
    guard !zeroed.isEmpty else { return }
    for page in zeroed {
      if let block = state.withLock({ $0.blocks[page] }) {
        zero(block.place << PageSize.shift..<(block.place + 1) << PageSize.shift)
      }
    }
    state.withLock { state in
      state.datasync = state.running
      state.isNew = true
    }
  }

  /// Fills the hole around pages that were one, as far as the window and the volume's room go.
  private func prepare(_ window: Range<UInt64>, around pages: Range<UInt64>) {
    var (start, end) = (pages.lowerBound, pages.upperBound)
    while start > window.lowerBound, fillsHole(start - 1) { start -= 1 }
    while end < window.upperBound, fillsHole(end) { end += 1 }
  }

  private func fillsHole(_ page: UInt64) -> Bool {
    guard state.withLock({ $0.blocks[page] == nil }) else { return false }
    return (try? allocate(page..<page + 1)) != nil
  }

  private func add(_ page: UInt64, isWritten: Bool) throws(KernelError) {
    guard state.withLock({ $0.blocks[page] }) == nil else { return }
    let place = try volume.place(page, of: self, except: state.withLock { $0.freed })
    state.withLock { $0.blocks[page] = Block(place: place, isWritten: isWritten) }
  }

  /// The bytes of the device at the ends of a range that covers its first and last page only in part.
  private func edges(of range: Range<UInt64>) -> [Range<UInt64>] {
    let pages = Set([range.lowerBound >> PageSize.shift, (range.upperBound - 1) >> PageSize.shift]).sorted()
    return pages.compactMap { page in
      let start = page << PageSize.shift
      let part = range.clamped(to: start..<start + PageSize.bytes)
      guard part.count < PageSize.bytes, let block = state.withLock({ $0.blocks[page] }), block.isWritten else {
        return nil
      }
      let first = block.place << PageSize.shift + (part.lowerBound - start)
      return first..<first + UInt64(part.count)
    }
  }

  private func zero(_ bytes: Range<UInt64>) {
    device.zero(bytes)
    try? device.persist(bytes)
  }
}

extension PlacedFile.State {
  /// Gives back the blocks of a range of pages.
  mutating func free(from first: UInt64, to end: UInt64) {
    for (page, block) in blocks where page >= first && page < end {
      freed.insert(block.place)
      blocks[page] = nil
    }
  }

  /// The run of pages from the first of a range on that are alike and lie side by side.
  func map(_ pages: Range<UInt64>, isNew: Bool) -> IOMap {
    let first = blocks[pages.lowerBound]
    var end = pages.lowerBound + 1
    while end < pages.upperBound, continues(first, by: end - pages.lowerBound, blocks[end]) { end += 1 }
    let bytes = pages.lowerBound << PageSize.shift..<end << PageSize.shift
    var flags: IOMap.Flags = isNew ? .new : []
    if datasync > committed || bytes.upperBound > size { flags.insert(.dirty) }
    guard let first else { return IOMap(kind: .hole, range: bytes, flags: flags) }
    return IOMap(
      kind: first.isWritten ? .mapped : .unwritten, range: bytes, address: first.place << PageSize.shift, flags: flags)
  }

  private func continues(_ first: PlacedFile.Block?, by count: UInt64, _ next: PlacedFile.Block?) -> Bool {
    guard let first, let next else { return first == nil && next == nil }
    return next.isWritten == first.isWritten && next.place == first.place + count
  }

  /// Makes an unwritten page written, and its neighbours as the file system does it.
  ///
  /// - Returns: what must be zeroed.
  mutating func convert(_ page: UInt64, in asked: Range<UInt64>, _ conversion: PlacedVolume.Conversion) -> [UInt64] {
    let extent = extent(around: page)
    var pages = page..<min(asked.upperBound, extent.upperBound)
    if conversion == .zeroesNeighbours { pages = Self.widened(pages, in: extent) }
    for page in pages { blocks[page]?.isWritten = true }
    return Array(pages)
  }

  private static func widened(_ pages: Range<UInt64>, in extent: Range<UInt64>) -> Range<UInt64> {
    let most: UInt64 = 8
    var pages = pages
    if extent.upperBound - pages.lowerBound <= most { pages = pages.lowerBound..<extent.upperBound }
    if pages.upperBound - extent.lowerBound < most { pages = extent.lowerBound..<pages.upperBound }
    return pages
  }

  /// The unwritten extent that a page lies in.
  private func extent(around page: UInt64) -> Range<UInt64> {
    guard let block = blocks[page] else { return page..<page + 1 }
    var start = page
    var end = page + 1
    while start > 0, let before = blocks[start - 1], !before.isWritten, before.place + (page - start + 1) == block.place
    {
      start -= 1
    }
    while let next = blocks[end], !next.isWritten, next.place == block.place + (end - page) { end += 1 }
    return start..<end
  }

  /// The bytes of the device behind byte `size` in its page.
  func tail(behind size: UInt64) -> Range<UInt64>? {
    let inPage = size & (PageSize.bytes - 1)
    guard inPage != 0, let block = blocks[size >> PageSize.shift], block.isWritten else { return nil }
    let start = block.place << PageSize.shift
    return start + inPage..<start + PageSize.bytes
  }
}
