/// What the event log is told of pages that were taken hold of.
extension AddressSpace {
  /// Pages from `page` on, below `limit`, that an entry for it maps.
  func pagesOfEntry(_ entry: PageTableEntry, from page: UInt64, limit: UInt64) -> UInt64 {
    min(limit, (page | (entry.pageCount &- 1)) &+ 1) &- page
  }

  /// The entry of a page as the table has it: a huge one tells of all its pages.
  func wholeEntry(ofPage page: UInt64) -> PageTableEntry {
    PageTableEntry(rawValue: table.entry(forPage: page)?.seen ?? 0)
  }

  /// Tells how the walk without locks got pages, by their entries as they are now: that walk is too short to do more
  /// than its work. Somebody may have changed them since; who compares runs one thread.
  func noteHolds(of pages: Range<UInt64>, by task: inout FaultTask) {
    let record = task.enter(epoch, of: epochs)
    defer { record.exit() }
    var page = pages.lowerBound
    while page < pages.upperBound {
      let entry = wholeEntry(ofPage: page)
      let count = pagesOfEntry(entry, from: page, limit: pages.upperBound)
      machine.events.note(EngineEvent(.fast, entry, page: page, count: count, in: memory))
      page += count
    }
  }

  /// Tells that pages are about to be given back: those of one folio that were taken one behind the other are one
  /// event.
  func noteLettingGo(_ held: borrowing PinnedPages) {
    var last: (folio: FrameNumber, pages: UInt64)?
    held.forEachRun { run in
      if let open = last, open.folio == run.folio {
        last = (open.folio, open.pages + run.pageCount)
      } else {
        if let last { noteLettingGo(of: last.folio, last.pages) }
        last = (run.folio, run.pageCount)
      }
    }
    if let last { noteLettingGo(of: last.folio, last.pages) }
  }

  private func noteLettingGo(of folio: FrameNumber, _ pages: UInt64) {
    machine.events.note(EngineEvent(lettingGo: pages, of: folio, in: memory))
  }
}
