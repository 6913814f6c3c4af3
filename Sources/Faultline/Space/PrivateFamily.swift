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
    if let next = areas.firstArea(startingAfter: area.start), area.couldJoin(next) { family = next.familyToShare }
    if family == 0, area.start > 0, let previous = areas.lastArea(startingAtOrBefore: area.start - 1),
      previous.couldJoin(area)
    {
      family = previous.familyToShare
    }
    if family == 0 { family = newFamily() }
    // Another thread's fault may have been first; its family stands.
    _ = area.pointee.privateFamily.compareExchange(
      expected: 0, desired: family, successOrdering: .relaxed, failureOrdering: .relaxed)
  }

  private func newFamily() -> UInt64 { nextFamily.wrappingAdd(1, ordering: .relaxed).newValue }

  /// The family that the copy of a parent's area begins with in this child: one of its own, which also knows the parent's, so
  /// no other area ever joins it. Kernel: `anon_vma_fork`.
  func inheritedFamily(of area: VMAPointer) -> UInt64 {
    // What is wiped begins without copies.
    area.privateFamily == 0 || area.flags.contains(.wipeOnFork) ? 0 : newFamily() | VMAPointer.inheritedBit
  }
}

extension VMAPointer {
  /// Marks a family that has an ancestor. Kernel: an `anon_vma_chain` that is not singular.
  fileprivate static let inheritedBit: UInt64 = 1 << 63

  fileprivate var familyToShare: UInt64 { privateFamily & Self.inheritedBit == 0 ? privateFamily : 0 }

  /// Whether the private copies of two areas may lie in one. An area without copies takes the other's family, unless that has
  /// an ancestor. Kernel: `is_mergeable_anon_vma`.
  func canShareFamily(with next: VMAPointer) -> Bool {
    let (own, other) = (privateFamily, next.privateFamily)
    return own == other || (own == 0 && other == next.familyToShare) || (other == 0 && own == familyToShare)
  }

  /// Whether the area and `next` differ in nothing but what they allow, which mprotect(2) may still make the same.
  fileprivate func couldJoin(_ next: VMAPointer) -> Bool {
    end == next.start && file === next.file
      && flags.symmetricDifference(next.flags).isSubset(of: .sticky.union(.access))
      && filePage(of: end) == next.filePage(of: next.start)
  }
}
