extension XArray {
  /// One of the entries that an entry of several slots is split into.
  struct Piece {
    let index: UInt64
    let order: UInt64
    let entry: UInt64
  }

  /// Nodes for ``split(_:order:into:with:)``; `nil` when there is no memory for them. Taken before anything changes, so that a
  /// split fails early or not at all. Kernel: `xas_split_alloc`.
  func nodesForSplit(order: UInt64, into pieces: [(index: UInt64, order: UInt64)]) -> [XArrayNode]? {
    let shift = Self.shift(holding: order)
    var nodes: [XArrayNode] = []
    var last: UInt64?
    for piece in pieces where piece.order < shift && piece.index >> shift != last {
      guard let node = memory.allocate(shift: shift - XArrayNode.bits) else {
        giveBack(nodes)
        return nil
      }
      nodes.append(node)
      last = piece.index >> shift
    }
    return nodes
  }

  /// Gives back nodes that no split has used.
  func giveBack(_ nodes: [XArrayNode]) {
    for node in nodes { memory.retire(node) }
  }

  /// Replaces the entry of `order` at `index`, of at most one level and a half (2^11 slots), by pieces that cover the same
  /// slots in ascending order. The pieces inherit its marks. Kernel: `xas_split`.
  ///
  /// No slot is ever empty, and none shows a piece that does not cover it: pieces are entered from the last to the first, for
  /// what is not yet replaced points to the first slot. A reader in between sees the old entry, whose owner keeps it frozen.
  func split(_ index: UInt64, order: UInt64, into pieces: [Piece], with nodes: [XArrayNode]) {
    guard let (node, _) = place(of: index) else { return giveBack(nodes) }
    let marks = [Mark.dirty, .writeback, .toWrite].filter { isMarked(index, $0) }
    for mark in marks { setMark(mark, at: index, to: false) }
    var spare = nodes
    var leaf: XArrayNode?
    for piece in pieces.reversed() {
      let slot = Int(piece.index >> node.shift & 63)
      if piece.order >= node.shift {
        enter(piece, in: node, marks)
        continue
      }
      let child = leaf ?? spare.removeLast()
      leaf = child
      enter(piece, in: child, marks)
      guard piece.index & ((1 << node.shift) - 1) == 0 else { continue }
      child.parent.pointee.store(node.entry, ordering: .relaxed)
      child.slotInParent.pointee.store(UInt64(slot), ordering: .relaxed)
      child.count.pointee.store(64, ordering: .relaxed)
      node.slot(slot).pointee.store(child.entry, ordering: .releasing)
      leaf = nil
    }
  }

  private func enter(_ piece: Piece, in node: XArrayNode, _ marks: [Mark]) {
    let slot = Int(piece.index >> node.shift & 63)
    node.slot(slot).pointee.store(piece.entry, ordering: .releasing)
    for sibling in slot + 1..<max(slot + 1, slot + 1 << Int(piece.order - node.shift)) {
      node.slot(sibling).pointee.store(XArrayNode.sibling(of: slot), ordering: .releasing)
    }
    for mark in marks { node.marks(mark).pointee.bitwiseOr(1 << UInt64(slot), ordering: .relaxed) }
  }

  /// The shift of the nodes that hold entries of this order.
  private static func shift(holding order: UInt64) -> UInt64 { order / XArrayNode.bits * XArrayNode.bits }
}
