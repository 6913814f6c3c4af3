/// The search for a missing page near another, step by step as the kernel's cursor walks. Kernel: `xas_next`, `xas_prev`.
///
/// A cursor that is set inside an entry of several slots stands on the entry's first slot. From there it goes slot by slot
/// to the end of the node, while the index it reports counts from where it was set: until it enters another node it looks at
/// pages that lie before the ones it names. How much is read ahead depends on that, so it is done here in the same way.
struct XArrayScan {
  /// The page that the scan says it is at.
  private(set) var index: UInt64
  private var node: XArrayNode?
  private var slot = 0
  private let array: XArray

  init(_ array: XArray, at index: UInt64) {
    self.array = array
    self.index = index
  }

  /// Sets the cursor: whether a folio is at the index.
  mutating func start() -> Bool {
    guard var node = XArrayNode(entry: array.root.pointee.load(ordering: .acquiring)), index <= node.maximumIndex else {
      return false
    }
    while true {
      slot = node.canonicalSlot(of: index)
      let entry = node.slot(slot).pointee.load(ordering: .acquiring)
      guard let child = XArrayNode(entry: entry) else {
        self.node = node
        return Self.isFolio(entry)
      }
      node = child
    }
  }

  /// One step up: whether a folio is there.
  mutating func next() -> Bool {
    guard let node else { return false }
    index &+= 1
    if (node.shift == 0 && slot != 63) || slot != Self.slot(of: index, in: node) { slot += 1 }
    return settle(edge: 64, entering: 1)
  }

  /// One step down: whether a folio is there.
  mutating func previous() -> Bool {
    guard let node else { return false }
    index &-= 1
    if (node.shift == 0 && slot != 0) || slot != Self.slot(of: index, in: node) { slot -= 1 }
    return settle(edge: -1, entering: -1)
  }

  /// Leaves nodes whose edge was passed, and goes down to an entry. Inside a new node the index alone says where.
  private mutating func settle(edge: Int, entering step: Int) -> Bool {
    guard var place = node else { return false }
    while slot == edge {
      slot = Int(place.slotInParent.pointee.load(ordering: .relaxed)) + step
      guard let parent = XArrayNode(entry: place.parent.pointee.load(ordering: .acquiring)) else {
        node = nil
        return false
      }
      place = parent
    }
    var entry = place.slot(slot).pointee.load(ordering: .acquiring)
    while let child = XArrayNode(entry: entry) {
      place = child
      slot = Self.slot(of: index, in: child)
      entry = child.slot(slot).pointee.load(ordering: .acquiring)
    }
    node = place
    return Self.isFolio(entry)
  }

  private static func slot(of index: UInt64, in node: XArrayNode) -> Int { Int(index >> node.shift & 63) }

  /// A folio, or the further slot of one.
  private static func isFolio(_ entry: UInt64) -> Bool { entry != 0 && !XArray.isValue(entry) }
}
