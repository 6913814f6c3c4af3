import Faultline

/// Blocks for stores that are expected: who stores to one page of a hole gets those of a window around it in the same
/// transaction.
///
/// * A prepared page is written and zero, on the device as in memory. Readers see a hole: only a store's request leads to its block, so
///   that nothing refers to it when it is given back.
/// * Which pages are prepared is in memory only. A crash leaves their blocks to the file, as zeroes.
extension ExtentFile {
  /// The window as pages, if it makes sense, around the pages that are asked for.
  func widened(_ pages: Range<UInt64>, to window: Range<UInt64>) -> Range<UInt64> {
    let start = min(window.lowerBound >> PageSize.shift, pages.lowerBound)
    let end = min(PageSize.pages(covering: min(window.upperBound, FileLimit.bytes)), FileLimit.pages)
    return start..<max(end, pages.upperBound)
  }

  /// Takes blocks for the first of the asked pages, which lie in a hole: for what of the hole is in the window when at most half of the
  /// free blocks go there, else for as many of the asked as there are.
  func allocate(_ asked: Range<UInt64>, window: Range<UInt64>) throws(KernelError) -> Extent {
    let hole = hole(around: asked)
    let wanted = window.clamped(to: hole)
    if wanted.count > asked.count, UInt64(wanted.count) <= fs.unreservedCount / 2 {
      let blocks = try allocate(UInt64(wanted.count), at: wanted.lowerBound)
      let extent = Extent(
        page: wanted.lowerBound, count: UInt64(blocks.count), block: blocks.lowerBound, isWritten: true)
      if extent.end >= asked.upperBound { return extent }
      fs.allocator.putBack(blocks)
    }
    let blocks = try allocate(UInt64(asked.count), at: asked.lowerBound)
    return Extent(page: asked.lowerBound, count: UInt64(blocks.count), block: blocks.lowerBound, isWritten: true)
  }

  /// All of the hole that pages lie in.
  private func hole(around pages: Range<UInt64>) -> Range<UInt64> {
    let next = extents.index(endingAfter: pages.lowerBound)
    let start = next > 0 ? extents.items[next - 1].end : 0
    return start..<(next < extents.items.count ? extents.items[next].page : FileLimit.pages)
  }

  /// Lets what a reader is told end where prepared pages begin, and shows a hole where they are.
  func hidePrepared(in map: inout IOMap) {
    guard map.kind == .mapped, let run = prepared.run(from: map.range.lowerBound >> PageSize.shift) else { return }
    let hidden = bytes(run)
    if hidden.contains(map.range.lowerBound) {
      map = IOMap(kind: .hole, range: map.range.clamped(to: hidden))
    } else {
      map.range = map.range.lowerBound..<min(map.range.upperBound, hidden.lowerBound)
    }
  }

  /// Gives up what no store has asked for, inside the open handle. Where the extents left over cannot be written down it stays.
  func giveBackPrepared() {
    for run in prepared.runs {
      guard (try? reserveExtentBlocks(adding: 1)) != nil else { return }
      giveUp(run)
      fs.noteChange(self, dataRelevant: false)
    }
  }
}

extension ExtentFileSystem {
  /// Gives up what was prepared in any file, inside the open handle.
  func giveBackPrepared() {
    let files = files.values.filter { !$0.prepared.isEmpty }.sorted { $0.inode < $1.inode }
    for file in files { file.giveBackPrepared() }
  }
}
