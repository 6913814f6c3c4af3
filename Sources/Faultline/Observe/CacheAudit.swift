/// One entry of a cache, for a checker.
package struct SlotAudit: Sendable {
  package let index: UInt64
  /// The first frame of the folio; `nil` for a value.
  package let frame: UInt64?
  package let isMarkedDirty: Bool
  package let isMarkedWriteback: Bool
}

extension FileNode {
  /// What the frames of this file's cache call their owner.
  package var auditIdentity: UInt64 { UInt64(UInt(bitPattern: cache)) }

  /// Every entry of the cache at the first index where a scan meets it. Call it while nothing else runs.
  package func auditSlots() -> [SlotAudit] {
    guard !isDirect else { return [] }
    var found: [SlotAudit] = []
    var next: UInt64 = 0
    while let (index, entry) = slots.first(from: next, through: .max - 1) {
      let folio = XArray.folio(entry)
      found.append(
        SlotAudit(
          index: index, frame: folio.map { machine.memory.number(of: $0.head).rawValue },
          isMarkedDirty: slots.isMarked(index, .dirty), isMarkedWriteback: slots.isMarked(index, .writeback)))
      next = max(index + 1, folio?.endIndex ?? 0)
    }
    return found
  }

  /// Whether its folios lie on the reclaim lists.
  package var auditIsReclaimable: Bool { !traits.isMemoryOnly }

  /// Whether the cache's locks are held.
  package func auditIsLocked() -> Bool { cache.pointee.slotLock.isLocked || cache.pointee.contentLock.isHeld }

  /// The nodes of the radix tree, counted by walking it.
  package func auditNodeCount() -> UInt64 {
    func count(_ entry: UInt64) -> UInt64 {
      guard let node = XArrayNode(entry: entry) else { return 0 }
      return 1 + (0..<64).reduce(0) { $0 + count(node.slot($1).pointee.load(ordering: .relaxed)) }
    }
    return count(cache.pointee.slots.load(ordering: .relaxed))
  }
}
