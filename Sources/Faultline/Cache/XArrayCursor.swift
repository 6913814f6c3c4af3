/// A place in an ``XArray`` that remembers the last leaf node, so that neighbours cost one descent. Kernel: `xa_state`.
///
/// Valid as long as nobody frees nodes: inside one pass under the rules of the cache's readers.
struct XArrayCursor {
  private let array: XArray
  private var leaf: XArrayNode?
  private var leafBase: UInt64 = 0

  @inline(__always)
  init(_ array: XArray) { self.array = array }

  /// The entry that covers `index`, 0 when there is none.
  @inline(__always)
  mutating func load(_ index: UInt64) -> UInt64 {
    if let leaf, index & ~63 == leafBase {
      return leaf.slot(leaf.canonicalSlot(of: index)).pointee.load(ordering: .acquiring)
    }
    return descend(index)
  }

  private mutating func descend(_ index: UInt64) -> UInt64 {
    leaf = nil
    guard var node = XArrayNode(entry: array.root.pointee.load(ordering: .acquiring)), index <= node.maximumIndex else {
      return 0
    }
    while true {
      let entry = node.slot(node.canonicalSlot(of: index)).pointee.load(ordering: .acquiring)
      guard let child = XArrayNode(entry: entry) else {
        if node.shift == 0 {
          leaf = node
          leafBase = index & ~63
        }
        return entry
      }
      node = child
    }
  }

  /// One past the run of empty slots around `index`, whose slot was just seen empty: the next slot in a leaf, the end of the
  /// missing subtree elsewhere.
  func endOfEmpty(at index: UInt64) -> UInt64 {
    if leaf != nil { return index &+ 1 }
    guard var node = XArrayNode(entry: array.root.pointee.load(ordering: .acquiring)), index <= node.maximumIndex else {
      return 0
    }
    while let child = XArrayNode(entry: node.slot(Int(index >> node.shift & 63)).pointee.load(ordering: .acquiring)) {
      node = child
    }
    return (index | ((1 << node.shift) &- 1)) &+ 1
  }
}
