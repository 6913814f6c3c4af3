import Faultline

extension ExtentFile {
  public func map(
    _ range: Range<UInt64>, for request: IOMapRequest, window: Range<UInt64>
  ) throws(KernelError) -> IOMap {
    fs.monitor.lock()
    defer { fs.monitor.unlock() }
    return try mapLocked(range, for: request, window: window)
  }

  func mapLocked(
    _ range: Range<UInt64>, for request: IOMapRequest, window: Range<UInt64>
  ) throws(KernelError) -> IOMap {
    try fs.checkMounted()
    guard range.upperBound <= FileLimit.bytes else { throw KernelError(.EFBIG, "no file reaches that far") }
    guard !range.isEmpty else { throw KernelError(.EINVAL, "an empty range lies nowhere") }
    let pages = range.lowerBound >> PageSize.shift..<PageSize.pages(covering: range.upperBound)
    #if DEBUG || ModelCheck
      let wasDirty = fs.log.isDirty(self)
    #endif
    var flags: IOMap.Flags = []
    if request.contains(.write), try makeWritten(pages, window: widened(pages, to: window)) { flags.insert(.new) }
    var map = lookUp(pages)
    if request.contains(.write) {
      prepared.remove(map.range.lowerBound >> PageSize.shift..<map.range.upperBound >> PageSize.shift)
    } else {
      hidePrepared(in: &map)
    }
    map.flags = flags
    var isDirty = fs.log.isDirty(self)
    #if DEBUG || ModelCheck
      if fs.bugs.has(.testsDirtyBeforeAllocating) { isDirty = wasDirty }
    #endif
    let endMatters = request.contains(.write) || fs.rules.readPastEndIsDirty
    if isDirty || endMatters && map.range.upperBound > size { map.flags.insert(.dirty) }
    return map
  }

  /// What lies at the first of the pages, for as many of them as it goes on.
  private func lookUp(_ pages: Range<UInt64>) -> IOMap {
    let first = pages.lowerBound
    switch extents.place(first) {
    case .hole(let end):
      return IOMap(kind: .hole, range: bytes(first..<min(end, pages.upperBound)))
    case .extent(let index):
      let extent = extents.items[index]
      return IOMap(
        kind: extent.isWritten ? .mapped : .unwritten, range: bytes(first..<min(extent.end, pages.upperBound)),
        address: (extent.block + (first - extent.page)) << PageSize.shift)
    }
  }

  func bytes(_ pages: Range<UInt64>) -> Range<UInt64> {
    pages.lowerBound << PageSize.shift..<pages.upperBound << PageSize.shift
  }

  /// Lets the first of the pages, and as many more as lie behind it alike, have written blocks, and what is alike in the window around
  /// them. Returns whether anything had to be done.
  private func makeWritten(_ pages: Range<UInt64>, window: Range<UInt64>) throws(KernelError) -> Bool {
    let first = pages.lowerBound
    switch extents.place(first) {
    case .extent(let index):
      let extent = extents.items[index]
      guard !extent.isWritten else { return false }
      let converted = convertible(window.clamped(to: extent.page..<extent.end), at: index)
      try reserveExtentBlocks(adding: 2)
      let start = extent.block + (converted.lowerBound - extent.page)
      try zeroDurably(start..<start + UInt64(converted.count))
      extents.setWritten(converted, true)
    case .hole(let end):
      try reserveExtentBlocks(adding: 1)
      let asked = first..<min(end, pages.upperBound)
      let filled = try allocate(asked, window: window)
      do { try zeroDurably(filled.blocks) } catch {
        fs.allocator.putBack(filled.blocks)
        throw error
      }
      extents.insert(filled)
      prepared.insert(filled.page..<max(filled.page, asked.lowerBound))
      prepared.insert(min(filled.end, asked.upperBound)..<filled.end)
    }
    fs.noteChange(self, dataRelevant: true)
    return true
  }

  /// Which pages of an unwritten extent become written when `asked` have to. Kernel: `ext4_ext_convert_to_initialized`: pages that can
  /// join a written neighbour do just that; or else what would be left of the extent before or behind them is zeroed too when it is
  /// short and lies within the file.
  private func convertible(_ asked: Range<UInt64>, at index: Int) -> Range<UInt64> {
    let extent = extents.items[index]
    let limit = fs.rules.zeroOutPages
    let fileEnd = max(PageSize.pages(covering: size), asked.upperBound)
    guard limit > 0, asked.count < extent.count, extent.end <= fileEnd else { return asked }
    if asked.lowerBound == extent.page, index > 0 {
      let before = extents.items[index - 1]
      if before.isWritten, before.adjoins(extent) { return asked }
    }
    if asked.upperBound == extent.end { return asked }
    let tail = extent.end - asked.lowerBound
    let end = tail <= limit ? extent.end : asked.upperBound
    let start = end - extent.page < limit ? extent.page : asked.lowerBound
    return start..<end
  }

  func zeroDurably(_ blocks: Range<UInt64>) throws(KernelError) {
    let range = bytes(blocks)
    device.zero(range)
    #if DEBUG || ModelCheck
      if fs.bugs.has(.writtenBeforeZeroed) { return }
    #endif
    do { try device.persist(range) } catch { throw KernelError(error) }
  }

  /// Takes a run of at most `count` blocks for the pages from `page` on, where the placement wants them or behind the file's own.
  func allocate(_ count: UInt64, at page: UInt64) throws(KernelError) -> Range<UInt64> {
    var found: Range<UInt64>?
    var longest = min(count, Extent.longest, fs.unreservedCount)
    if let place = placementRule?.place(page) {
      longest = min(longest, place.count)
      if longest > 0 { found = fs.allocator.find(longest, residue: place.residue, goal: goal(page)) }
    }
    guard longest > 0, let run = found ?? fs.allocator.find(longest, for: page, goal: goal(page)) else {
      fs.giveBackPrepared()
      throw KernelError(.ENOSPC, "no block is free for page \(page) of inode \(inode)")
    }
    fs.allocator.take(run)
    return run
  }

  /// The block of a page in a hole that keeps its distance from the extent before, or from the one behind if it is the first.
  private func goal(_ page: UInt64) -> UInt64? {
    let index = extents.index(endingAfter: page)
    if index > 0 {
      let before = extents.items[index - 1]
      return before.block + before.count + (page - before.end)
    }
    guard let next = extents.items.first, next.block >= next.page - page else { return nil }
    return next.block - (next.page - page)
  }

  // MARK: room for extents

  /// Makes sure that `count` more extents can be written down.
  func reserveExtentBlocks(adding count: Int) throws(KernelError) {
    let needed = ExtentBlock.blocks(forExtents: extents.items.count + count)
    guard needed <= fs.largestChain else {
      throw KernelError(.ENOSPC, "inode \(inode) is in too many pieces")
    }
    while extentBlocks.count < needed {
      guard fs.unreservedCount > 0 else {
        throw KernelError(.ENOSPC, "no block is free for the extents of inode \(inode)")
      }
      let block = try fs.allocateMetadata()
      extents.markChanged(from: ExtentBlock.firstExtent(extentBlocks.count - 1))
      extentBlocks.append(block)
      fs.noteChange(self, dataRelevant: true)
      fs.changes.moreBlocks += 2
    }
  }

  /// Gives back the blocks that the extents do not need any more.
  func trimExtentBlocks() {
    let needed = isDeleted ? 0 : ExtentBlock.blocks(forExtents: extents.items.count + 2)
    while extentBlocks.count > needed, let block = extentBlocks.popLast() {
      fs.giveUp(block..<block + 1, of: self, wasMetadata: true)
      extents.markChanged(from: ExtentBlock.firstExtent(extentBlocks.count - 1))
    }
  }
}
