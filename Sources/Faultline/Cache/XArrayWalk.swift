/// A walk over the slots of an ``XArray`` in single steps, as the kernel makes it. Kernel: `xas_next`, `xas_prev`.
///
/// A walk that begins inside an entry of several slots stands on the entry's first slot but goes by the index that it was
/// given, so from there on it looks at slots that lie before its index by the same distance. It falls in step again where it
/// enters another node. Readahead's scans for a gap inherit this: behind a large folio they find the gap too late, or not
/// within their limit.
struct XArrayWalk {
  private let array: XArray
  /// The index that the walk has reached.
  private(set) var index: UInt64
  private var node: XArrayNode?
  private var slot = 0
  private var hasBegun = false

  /// A walk whose first step, in either direction, leads to `index`.
  init(_ array: XArray, at index: UInt64) {
    self.array = array
    self.index = index
  }

  /// One step up: the entry there (a sibling is one), 0 where there is none. The walk ends at the end of the tree.
  mutating func next() -> UInt64 {
    guard hasBegun else { return begin() }
    guard let node else { return 0 }
    index &+= 1
    if node.shift == 0 || slot != naturalSlot(in: node) { slot += 1 }
    while slot == 64 { guard climb(1) else { return 0 } }
    return descend()
  }

  /// One step down.
  mutating func previous() -> UInt64 {
    guard hasBegun else { return begin() }
    guard let node else { return 0 }
    index &-= 1
    // A walk that has reached its node's first slot ahead of its index waits there only where the two now agree.
    if node.shift == 0 && slot > 0 || slot != naturalSlot(in: node) { slot -= 1 }
    while slot < 0 { guard climb(-1) else { return 0 } }
    return descend()
  }

  /// Where the index lies in a node, whatever the walk looks at.
  private func naturalSlot(in node: XArrayNode) -> Int { Int((index >> node.shift) & 63) }

  private mutating func begin() -> UInt64 {
    hasBegun = true
    guard var reached = XArrayNode(entry: array.root.pointee.load(ordering: .acquiring)),
      index <= reached.maximumIndex
    else { return 0 }
    while true {
      slot = reached.canonicalSlot(of: index)
      let entry = reached.slot(slot).pointee.load(ordering: .acquiring)
      guard let child = XArrayNode(entry: entry) else {
        node = reached
        return entry
      }
      reached = child
    }
  }

  /// To the neighbour of this node in the one above; `false` at the end of the tree.
  private mutating func climb(_ direction: Int) -> Bool {
    guard let here = node, let above = XArrayNode(entry: here.parent.pointee.load(ordering: .acquiring)) else {
      node = nil
      return false
    }
    slot = Int(here.slotInParent.pointee.load(ordering: .acquiring)) + direction
    node = above
    return true
  }

  /// From a slot that leads to a node down to where the index lies in it.
  private mutating func descend() -> UInt64 {
    while let here = node {
      let entry = here.slot(slot).pointee.load(ordering: .acquiring)
      guard let child = XArrayNode(entry: entry) else { return entry }
      node = child
      slot = naturalSlot(in: child)
    }
    return 0
  }
}
