/// The walk without locks. Kernel: `gup_fast`, `internal_get_user_pages_fast`.
extension AddressSpace {
  /// Takes hold of what is entered now, page after page, up to the first that is not or does not allow what is wanted.
  ///
  /// Takes no lock, faults nothing in and waits for nobody; a race that is lost ends it early.
  ///
  /// - Returns: the pages that were recorded.
  func holdFast(
    _ pages: Range<UInt64>, _ flags: PinFlags, into held: inout PinnedPages, by task: inout FaultTask
  ) -> UInt64 {
    let before = held.pageCount
    let mark = held.mark
    let sequence = copySequence.load(ordering: .sequentiallyConsistent)
    // A fork that is copying entries looks at pins on its way: what it has passed must not be pinned behind its back.
    #if DEBUG || ModelCheck
      let looks = !machine.switches.has(.pinsDuringFork)
    #else
      let looks = true
    #endif
    guard held.kind == .reference || sequence & 1 == 0 || !looks else { return 0 }
    let record = task.enter(epoch, of: epochs)
    walkFast(pages, flags, into: &held)
    record.exit()
    if held.kind == .pin, looks, copySequence.load(ordering: .sequentiallyConsistent) != sequence {
      held.truncate(to: mark)
    }
    return held.pageCount &- before
  }

  private func walkFast(_ pages: Range<UInt64>, _ flags: PinFlags, into held: inout PinnedPages) {
    let demand = flags.contains(.write) ? PageTableEntry.Demand.write : .read
    var page = pages.lowerBound
    while page < pages.upperBound {
      guard let middle = table.middle(forPage: page) else {
        guard let end = holdGigantic(page, pages.upperBound, demand, into: &held) else { return }
        page = end
        continue
      }
      let end = min(pages.upperBound, (page | (PageSize.entriesPerTable - 1)) &+ 1)
      let seen = middle.entry
      if seen.isHuge {
        guard allows(seen, demand),
          holdRun(
            first(of: seen, at: page), end &- page, held: &held,
            unless: {
              middle.entry.frame != seen.frame || !allows(middle.entry, demand)
            })
        else { return }
      } else {
        guard let leaf = middle.leaf, holdSingles(page..<end, leaf, at: middle, demand, into: &held) else { return }
      }
      page = end
    }
  }

  /// Of the pages that one gigantic entry maps. Returns one past the last of them; `nil` when they could not be had.
  @inline(never)
  private func holdGigantic(
    _ page: UInt64, _ limit: UInt64, _ demand: PageTableEntry.Demand, into held: inout PinnedPages
  ) -> UInt64? {
    guard let upper = table.upper(forPage: page) else { return nil }
    let seen = upper.entry
    guard seen.isGigantic, allows(seen, demand) else { return nil }
    let end = min(limit, (page | (PageTable.giganticPageCount - 1)) &+ 1)
    let isHeld = holdRun(
      seen.single(page), end &- page, held: &held,
      unless: {
        let now = upper.entry
        return now.frame != seen.frame || !allows(now, demand)
      })
    return isHeld ? end : nil
  }

  /// What a huge entry says of `page`.
  @inline(__always)
  private func first(of huge: PageTableEntry, at page: UInt64) -> PageTableEntry {
    #if DEBUG || ModelCheck
      // 21 is the shift of 2 MiB; masked by one less, the address of a page gives no pages to go on by.
      if machine.switches.has(.takesShiftForSize) {
        return huge.advanced(by: page << PageSize.shift & 20 >> PageSize.shift)
      }
    #endif
    return huge.single(page)
  }

  /// Of the pages that one leaf table maps. `false` when one could not be had.
  private func holdSingles(
    _ pages: Range<UInt64>, _ leaf: PageTable.Table, at middle: MiddleEntry, _ demand: PageTableEntry.Demand,
    into held: inout PinnedPages
  ) -> Bool {
    let entries = leaf.entries + PageTable.slot(ofPage: pages.lowerBound, level: 0)
    for index in 0..<pages.count {
      let pointer = entries + index
      let seen = PageTableEntry(rawValue: pointer.pointee.load(ordering: .acquiring))
      guard allows(seen, demand),
        holdRun(
          seen, 1, held: &held,
          unless: {
            let now = PageTableEntry(rawValue: pointer.pointee.load(ordering: .acquiring))
            return now.frame != seen.frame || !allows(now, demand) || middle.leaf != leaf
          })
      else { return false }
    }
    return true
  }

  @inline(__always)
  func allows(_ entry: PageTableEntry, _ demand: PageTableEntry.Demand) -> Bool {
    let wanted = demand.mask | PageTableEntry.specialBit
    return entry.rawValue & wanted == demand.value
  }

  /// Takes hold of `count` pages from the one that `entry` maps, all of one folio, then looks whether the entry has
  /// changed.
  @inline(__always)
  private func holdRun(
    _ entry: PageTableEntry, _ count: UInt64, held: inout PinnedPages, unless changed: () -> Bool
  ) -> Bool {
    let kind = held.kind
    #if DEBUG || ModelCheck
      if machine.switches.has(.countsPinOnSubpage) {
        Folio(head: memory.frame(entry.frame)).get(count)
        held.record(entry.frame, count)
        return true
      }
    #endif
    guard let folio = Folio.grab(memory.frame(entry.frame), count, kind, in: memory) else { return false }
    // Reading what a pin is for must show what the program will see: a shared private page is copied first, and not here.
    if changed() || kind == .pin && !entry.isWritable && folio.isPrivate && !folio.contains(.exclusive) {
      #if DEBUG || ModelCheck
        if machine.switches.has(.keepsPinOfLostRace) { return false }
        if machine.switches.has(.undoesOnePinTooMany) { folio.letGo(1, .reference, in: memory) }
      #endif
      folio.letGo(count, kind, in: memory)
      return false
    }
    if !folio.contains(.referenced) { folio.insert(.referenced) }
    held.record(entry.frame, count)
    return true
  }
}
