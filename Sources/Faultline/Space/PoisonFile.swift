/// A page of a file whose memory failed.
extension FileNode {
  /// The memory of a cached page fails. Any thread may call it.
  ///
  /// A clean page goes and is read again by whoever needs it. A dirty one goes too: its entries become markers, and the next
  /// writeback reports the loss once. A file that lives in memory keeps the page, so that nobody takes its place for a hole:
  /// accesses end in a signal, reads and writes in `EIO`, until the page is truncated away. A folio of several pages is split
  /// first. One that cannot be, because somebody holds it or the file system keeps its dirty blocks apart, stays in the cache
  /// with all entries gone, and accesses to the one page end in a signal for as long as it does.
  @discardableResult
  public func poison(page: UInt64) -> PoisonOutcome {
    guard let reference = lookUp(page) else { return .unused }
    let folio = reference.folio
    folio.lock()
    defer { folio.unlock() }
    guard folio.lies(in: cache), page &- folio.index < folio.pageCount else { return .unused }
    guard !Folio(head: folio.frame(forPage: page)).contains(.poisoned) else { return .known }
    guard folio.order > 0 else { return poisonSingle(folio) }
    // A page of its own is told apart from its neighbours by who has mapped it now: the split takes all entries.
    if wouldBeMissed(folio) { markLost(page, in: folio) }
    guard split(folio, around: page) else { return poisonUnsplit(folio, page) }
    if page == folio.index { return poisonSingle(folio) }
    guard let part = lookUp(page) else { return .unused }
    part.folio.lock()
    defer { part.folio.unlock() }
    return part.folio.lies(in: cache) ? poisonSingle(part.folio) : .unused
  }

  private func poisonSingle(_ folio: Folio) -> PoisonOutcome {
    guard folio.poison(folio.head) else { return .known }
    machine.retire(folio)
    guard wouldBeMissed(folio) else {
      if folio.isMapped { unmap(folio.index..<folio.endIndex, includingCopies: false) }
      remove(folio)
      return .dropped
    }
    markLost(folio.index, in: folio)
    if !traits.isMemoryOnly {
      folio.remove(.dirty)
      remove(folio)
      lostPage.store(folio.index, ordering: .releasing)
    }
    return .lost
  }

  private func poisonUnsplit(_ folio: Folio, _ page: UInt64) -> PoisonOutcome {
    let wasWhole = !folio.hasPoison
    guard folio.poison(folio.frame(forPage: page)) else { return .known }
    if wasWhole { machine.retire(folio) }
    unmap(folio.index..<folio.endIndex, includingCopies: false)
    return .lost
  }

  /// Whether a locked folio holds what is nowhere else.
  private func wouldBeMissed(_ folio: Folio) -> Bool {
    if traits.isMemoryOnly || folio.contains(.dirty) { return true }
    var isDirty = false
    forEachArea { area in
      area.forEachEntry(of: folio.index..<folio.endIndex) { pointer in
        let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
        guard entry.isPresent, !entry.isSpecial else { return }
        if Folio(of: machine.memory.frame(entry.frame)) == folio, entry.isDirty { isDirty = true }
      }
    }
    return isDirty
  }

  /// Puts a marker where `page` of a locked folio is mapped. Nobody can map it anew meanwhile.
  private func markLost(_ page: UInt64, in folio: Folio) {
    forEachArea { area in
      guard let shown = area.pages(showing: page..<page + 1)?.lowerBound else { return }
      let table = area.pointee.table
      var wasHuge = false
      _ = table.withEntry(ofPage: shown) { pointer in
        let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
        guard entry.isPresent, !entry.isSpecial, Folio(of: machine.memory.frame(entry.frame)) == folio else { return }
        wasHuge = entry.isHuge
        let marker = wasHuge ? PageTableEntry.none : .poisonMarker
        let taken = pointer.pointee.exchange(marker.rawValue, ordering: .acquiringAndReleasing)
        machine.giveUp(PageTableEntry(rawValue: taken), of: table)
      }
      // Without memory for a table there is no marker; the neighbours' entries are gone all the same.
      guard wasHuge, table.makeLeaf(forPage: shown) != nil else { return }
      _ = table.withEntry(ofPage: shown) { pointer in
        guard PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed)).isNone else { return }
        pointer.pointee.store(PageTableEntry.poisonMarker.rawValue, ordering: .releasing)
      }
    }
  }
}
