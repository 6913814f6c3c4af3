/// Folios of several pages of which advice covers only a part.
extension AddressSpace {
  /// Splits, into single pages, each folio of a file that `pages` shows only in part and that no other address space maps, so
  /// that advice on these pages does not touch the others. What cannot be split stays. The entries of a folio that is split
  /// are gone afterwards. Kernel: `madvise_cold_or_pageout_pte_range`, `split_folio`.
  ///
  /// - Returns: those that stay whole, on which the advice must not act.
  func splitFolios(partlyIn pages: Range<UInt64>) -> [Folio] {
    var found: [Folio] = []
    var run: (folio: Folio, next: FramePointer, count: UInt64)?
    func endRun() {
      guard let ended = run else { return }
      if ended.count < ended.folio.pageCount { found.append(ended.folio) } else { ended.folio.put(to: memory) }
    }
    table.forEachEntry(in: pages) { page, pointer in
      let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
      guard entry.isPresent, !entry.isSpecial else { return }
      let frame = memory.frame(entry.frame)
      let folio = Folio(of: frame)
      guard folio.order > 0, folio.isInFile, !folio.contains(.device) else { return }
      let shown = UInt64((page..<page + entry.pageCount).clamped(to: pages).count)
      if let open = run, open.folio == folio, open.next == frame {
        run = (folio, frame + 1, open.count + 1)
      } else {
        endRun()
        // While its entry is under lock: behind that it may be gone.
        folio.get()
        run = (folio, frame + 1, shown)
      }
    }
    endRun()
    // With no table locked: a split goes from the folio to all tables that map it.
    var whole: [Folio] = []
    for folio in found {
      if !splitAlone(folio) { whole.append(folio) }
      folio.put(to: memory)
    }
    return whole
  }

  /// Splits a folio on which the caller has a reference, unless somebody else uses it.
  private func splitAlone(_ folio: Folio) -> Bool {
    guard folio.tryLock() else { return false }
    let file = folio.file
    // This may be the last reference on the file, whose end takes the folio's lock: it goes behind that.
    defer {
      folio.unlock()
      withExtendedLifetime(file) {}
    }
    guard let file, folio.order > 0, !file.isMapped(folio, outside: self) else { return false }
    return file.split(folio, around: nil)
  }
}

extension FileNode {
  /// Whether another address space has an entry for a page of a locked folio.
  fileprivate func isMapped(_ folio: Folio, outside space: AddressSpace) -> Bool {
    var isShared = false
    forEachArea { area in
      guard area.pointee.space.toOpaque() != Unmanaged.passUnretained(space).toOpaque() else { return }
      area.forEachEntry(of: folio.index..<folio.endIndex) { pointer in
        let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
        guard entry.isPresent, !entry.isSpecial else { return }
        isShared = isShared || Folio(of: machine.memory.frame(entry.frame)) == folio
      }
    }
    return isShared
  }
}
