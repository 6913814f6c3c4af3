extension VMAPointer {
  /// Calls `body` with each entry that is not none and shows a page of `filePages`, under its table's lock.
  ///
  /// The reverse way: from a file's pages to the entries that map them. Kernel: `rmap_walk_file`.
  func forEachEntry(of filePages: Range<UInt64>, _ body: (WordPointer) -> Void) {
    guard let pages = pages(showing: filePages) else { return }
    pointee.table.forEachEntry(in: pages) { _, pointer in body(pointer) }
  }

  /// The part of the area that shows pages of `filePages`; `nil` when it shows none.
  func pages(showing filePages: Range<UInt64>) -> Range<UInt64>? {
    let first = pointee.filePage.load(ordering: .relaxed)
    let shown = filePages.clamped(to: first..<first + (end - start))
    return shown.isEmpty ? nil : start + (shown.lowerBound - first)..<start + (shown.upperBound - first)
  }
}

extension FileNode {
  /// Takes the entries that show pages of `pages` out of every area. Kernel: `unmap_mapping_range`.
  ///
  /// - Parameter includingCopies: whether private copies go too (truncation) or stay (hole punch).
  func unmap(_ pages: Range<UInt64>, includingCopies: Bool) {
    forEachArea { area in
      #if DEBUG || ModelCheck
        let space = machine.switches.has(.walkHoldsSpace) ? area.pointee.space.takeUnretainedValue() : nil
        defer { withExtendedLifetime(space) {} }
      #endif
      area.forEachEntry(of: pages) { pointer in
        let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
        guard entry != .guardMarker else { return }
        guard includingCopies || entry.isPresent && !machine.isPrivateCopy(entry) else { return }
        let taken = PageTableEntry(rawValue: pointer.pointee.exchange(0, ordering: .acquiringAndReleasing))
        machine.giveUp(taken, of: area.pointee.table)
      }
    }
  }
}

extension Machine {
  fileprivate func isPrivateCopy(_ entry: PageTableEntry) -> Bool {
    entry.isPresent && !entry.isSpecial && Folio(of: memory.frame(entry.frame)).isPrivate
  }
}
