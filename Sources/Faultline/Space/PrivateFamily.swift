extension AddressSpace {
  /// Readies an area for private copies, before the first is made. Kernel: `anon_vma_prepare`.
  ///
  /// The caller holds the address space's lock, shared at least, so no area changes its borders meanwhile.
  @inline(__always)
  func preparePrivatePages(of area: VMAPointer) {
    if area.privateFamily == 0 { beginPrivatePages(of: area) }
  }

  /// A neighbour's family if the two could become one area, so that the copies do not keep them apart; else a new one.
  /// Kernel: `find_mergeable_anon_vma`.
  private func beginPrivatePages(of area: VMAPointer) {
    var family: UInt64 = 0
    if let next = areas.firstArea(startingAfter: area.start), area.couldJoin(next) { family = next.privateFamily }
    if family == 0, area.start > 0, let previous = areas.lastArea(startingAtOrBefore: area.start - 1),
      previous.couldJoin(area)
    {
      family = previous.privateFamily
    }
    if family == 0 { family = nextFamily.wrappingAdd(1, ordering: .relaxed).newValue }
    // Another thread's fault may have been first; its family stands.
    _ = area.pointee.privateFamily.compareExchange(
      expected: 0, desired: family, successOrdering: .relaxed, failureOrdering: .relaxed)
  }
}

extension VMAPointer {
  /// Whether the area and `next` differ in nothing but what they allow, which mprotect(2) may still make the same.
  fileprivate func couldJoin(_ next: VMAPointer) -> Bool {
    end == next.start && file === next.file && flags.subtracting(.access) == next.flags.subtracting(.access)
      && filePage(of: end) == next.filePage(of: next.start)
  }
}
