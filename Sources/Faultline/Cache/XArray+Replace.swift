extension XArray {
  /// Puts `entry` over the 2^`order` aligned slots from `index`, whatever they hold now, in steps that leave no slot empty
  /// to a reader. The caller holds the cache's lock.
  ///
  /// - Returns: `false` when there is no memory; then nothing changed.
  func replace(with entry: UInt64, at index: UInt64, order: UInt64) -> Bool {
    let level = order / XArrayNode.bits
    guard let node = descend(to: index, shift: level * XArrayNode.bits) else { return false }
    let slot = Int(index >> (level * XArrayNode.bits) & 63)
    put(entry, in: node, slots: slot..<slot + (1 << Int(order % XArrayNode.bits)))
    return true
  }

  /// Gives neighbouring slots one entry, in place of whatever they and the nodes below them hold.
  func put(_ entry: UInt64, in node: XArrayNode, slots: Range<Int>) {
    for slot in slots {
      let old = node.slot(slot).pointee.exchange(
        slot == slots.lowerBound ? entry : XArrayNode.sibling(of: slots.lowerBound), ordering: .acquiringAndReleasing)
      if old == 0 { node.count.pointee.wrappingAdd(1, ordering: .relaxed) }
      for mark in [Mark.dirty, .writeback, .toWrite] {
        node.marks(mark).pointee.bitwiseAnd(~(1 << UInt64(slot)), ordering: .relaxed)
      }
      if let child = XArrayNode(entry: old) { retireTree(child) }
    }
  }

  private func retireTree(_ node: XArrayNode) {
    for slot in 0..<64 {
      if let child = XArrayNode(entry: node.slot(slot).pointee.load(ordering: .relaxed)) { retireTree(child) }
      node.slot(slot).pointee.store(0, ordering: .releasing)
    }
    node.count.pointee.store(0, ordering: .relaxed)
    for mark in [Mark.dirty, .writeback, .toWrite] { node.marks(mark).pointee.store(0, ordering: .relaxed) }
    memory.retire(node)
  }
}
