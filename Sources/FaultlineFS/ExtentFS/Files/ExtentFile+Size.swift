import Faultline

extension ExtentFile {
  public func resize(to size: UInt64) throws(KernelError) {
    try checkIsFile()
    guard size <= FileLimit.bytes else { throw KernelError(.EFBIG, "no file is \(size) bytes long") }
    try fs.change { () throws(KernelError) in
      let old = self.size
      guard size != old else { return }
      // Stores through a mapping may have gone past the end in its page: they must not show in a longer file.
      try zeroTail(from: min(size, old))
      if size < old { giveUp(PageSize.pages(covering: size)..<FileLimit.pages) }
      setSize(size)
      fs.noteChange(self, dataRelevant: true)
    }
  }

  public func change(_ change: RangeChange, _ range: Range<UInt64>, keepSize: Bool) throws(KernelError) {
    try checkIsFile()
    guard range.upperBound <= FileLimit.bytes else { throw KernelError(.EFBIG, "no file reaches that far") }
    guard !range.isEmpty else { throw KernelError(.EINVAL, "an empty range cannot be changed") }
    try fs.change { () throws(KernelError) in
      let outer = range.lowerBound >> PageSize.shift..<PageSize.pages(covering: range.upperBound)
      let firstWhole = PageSize.pages(covering: range.lowerBound)
      let inner = firstWhole..<max(range.upperBound >> PageSize.shift, firstWhole)
      // Before anything can fail: blocks that were allocated until then stay the file's.
      fs.noteChange(self, dataRelevant: true)
      // Blocks that a program asks for are its own, also where a store had prepared them.
      prepared.remove(outer)
      // Bytes change only when nothing can run out any more.
      switch change {
      case .allocate:
        try allocateHoles(outer)
      case .punchHole:
        try reserveExtentBlocks(adding: 1)
        try zeroEdges(range)
        giveUp(inner)
      case .zeroRange:
        try allocateHoles(outer)
        try reserveExtentBlocks(adding: 2)
        try zeroEdges(range)
        extents.setWritten(inner, false)
      }
      if change != .punchHole, !keepSize, range.upperBound > size {
        try zeroTail(from: size)
        setSize(range.upperBound)
      }
    }
  }

  /// Takes blocks away from pages. Room for one more extent is reserved, unless the pages reach to the last.
  func giveUp(_ pages: Range<UInt64>) {
    prepared.remove(pages)
    for extent in extents.remove(pages) { fs.giveUp(extent.blocks, of: self, wasMetadata: kind == .directory) }
    trimExtentBlocks()
  }

  /// Gives every hole among the pages unwritten blocks: all of them or none.
  private func allocateHoles(_ pages: Range<UInt64>) throws(KernelError) {
    var taken: [Extent] = []
    do {
      var page = pages.lowerBound
      while page < pages.upperBound {
        switch extents.place(page) {
        case .extent(let index):
          page = extents.items[index].end
        case .hole(let end):
          try reserveExtentBlocks(adding: 1)
          let run = try allocate(min(end, pages.upperBound) - page, at: page)
          let extent = Extent(page: page, count: UInt64(run.count), block: run.lowerBound, isWritten: false)
          extents.insert(extent)
          taken.append(extent)
          page = extent.end
        }
      }
    } catch {
      for extent in taken {
        _ = extents.remove(extent.page..<extent.end)
        fs.allocator.putBack(extent.blocks)
      }
      trimExtentBlocks()
      throw error
    }
  }

  /// Zeroes, durably, what is written from an offset to the end of its page.
  func zeroTail(from offset: UInt64) throws(KernelError) {
    let end = PageSize.pages(covering: offset) << PageSize.shift
    if offset < end { try zeroWritten(offset..<end) }
  }

  /// Zeroes the parts of a range that do not fill a page.
  private func zeroEdges(_ range: Range<UInt64>) throws(KernelError) {
    let first = min(PageSize.pages(covering: range.lowerBound) << PageSize.shift, range.upperBound)
    let last = range.upperBound & ~(PageSize.bytes - 1)
    if range.lowerBound < first { try zeroWritten(range.lowerBound..<first) }
    if last >= first, last < range.upperBound { try zeroWritten(last..<range.upperBound) }
  }

  /// Zeroes a range within one page if it has written blocks.
  private func zeroWritten(_ range: Range<UInt64>) throws(KernelError) {
    guard case .extent(let index) = extents.place(range.lowerBound >> PageSize.shift) else { return }
    let extent = extents.items[index]
    guard extent.isWritten else { return }
    let start = extent.block << PageSize.shift + (range.lowerBound - extent.page << PageSize.shift)
    let target = start..<start + UInt64(range.count)
    device.zero(target)
    do { try device.persist(target) } catch { throw KernelError(error) }
  }
}
