/// What posix_fadvise(2) may say, with Linux's numbers.
public enum FileAdvice: Int32, Sendable {
  case normal = 0
  case random = 1
  case sequential = 2
  case willNeed = 3
  case dontNeed = 4
  case noReuse = 5
}

extension OpenFile {
  /// Says how the descriptor will be read, or reads or drops a range. posix_fadvise(2). Kernel: `generic_fadvise`.
  ///
  /// - Parameters:
  ///   - offset: bytes.
  ///   - length: bytes; 0 means to the end of the file.
  public func advise(offset: UInt64 = 0, length: UInt64 = 0, _ advice: FileAdvice) {
    let end = length == 0 ? UInt64.max : offset &+ min(length, .max - offset)
    switch advice {
    case .normal:
      setWindow(node.traits.readaheadPages, randomly: false)
    case .random:
      readsRandomly.store(1, ordering: .relaxed)
    case .sequential:
      setWindow(node.traits.readaheadPages * 2, randomly: false)
    case .willNeed:
      guard !node.traits.isMemoryOnly, !node.isDirect else { return }
      let last = end == .max ? node.cache.filePages : PageSize.pages(covering: end)
      let first = offset >> PageSize.shift
      if last > first { Readahead(file: self).force(at: first, count: last - first) }
    case .dontNeed:
      node.dropRange(offset: offset, end: end)
    case .noReuse:
      break
    }
  }

  /// Starts reading a range. readahead(2).
  public func readAhead(offset: UInt64, length: UInt64) {
    if length > 0 { advise(offset: offset, length: length, .willNeed) }
  }

  private func setWindow(_ pages: UInt64, randomly: Bool) {
    readahead.pointee.maximum.store(pages, ordering: .relaxed)
    readsRandomly.store(randomly ? 1 : 0, ordering: .relaxed)
  }
}

extension FileNode {
  /// POSIX_FADV_DONTNEED: starts writing what is dirty, and drops the clean pages that lie whole in the range; what is being
  /// written stays, for nobody waits. A range that ends at or past the end of the file takes the partial last page too.
  fileprivate func dropRange(offset: UInt64, end: UInt64) {
    guard !traits.isMemoryOnly, !isDirect else { return }
    guard offset < end else { return }
    let first = PageSize.pages(covering: offset)
    let last = end >= size ? UInt64.max : end >> PageSize.shift
    let touched = offset >> PageSize.shift..<PageSize.pages(covering: end)
    if traits.journalsData { startWriteBack(touched) }
    if first < last { dropClean(first..<last, orElse: makeNextToGo) }
    // The engine's writes are over at once: they begin where the kernel's, which take a while, end.
    if !traits.journalsData { startWriteBack(touched) }
  }

  /// What could not be dropped and is mapped by nobody goes first when memory is short. A dirty folio gets a mark for when it is
  /// written, which shares its bit with the readahead marker: touching the folio before that reads on from it. Kernel:
  /// `deactivate_file_folio`, `PG_reclaim`.
  private func makeNextToGo(_ folio: Folio) {
    guard !folio.isMapped else { return }
    folio.remove(.referenced)
    machine.lists.deactivate(folio)
    if folio.contains(.dirty), traits.journalsData { folio.insert(.readahead) }
  }
}
