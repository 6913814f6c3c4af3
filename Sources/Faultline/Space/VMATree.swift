/// The areas of an address space by address: a B+ tree whose nodes never change once a reader can see them.
///
/// A writer copies the nodes on the way from the root to what it changes and publishes the new root in one store, so a reader
/// walks one consistent tree without a lock, inside an epoch. Replaced nodes are retired. Kernel: the maple tree of `mm_mt`.
///
/// Keys are first pages. Writers hold the address space's lock exclusively.
struct VMATree: ~Copyable {
  private let root = AtomicWord(0)
  private let epochs: EpochDomain

  init(epochs: EpochDomain) { self.epochs = epochs }

  deinit { Node.freeTree(root.load(ordering: .relaxed)) }

  /// The area that covers `page`.
  @inline(__always)
  func area(covering page: UInt64) -> VMAPointer? {
    guard let area = lastArea(startingAtOrBefore: page), page < area.end else { return nil }
    return area
  }

  /// The first area that ends after `page`: the one that covers it or the next one. Kernel: `find_vma`.
  func firstArea(endingAfter page: UInt64) -> VMAPointer? {
    area(covering: page) ?? firstArea(startingAfter: page)
  }

  /// The area with the largest first page that is not above `page`.
  @inline(__always)
  func lastArea(startingAtOrBefore page: UInt64) -> VMAPointer? {
    guard var node = NodePointer(bitPattern: UInt(root.load(ordering: .acquiring))) else { return nil }
    while true {
      let slot = node.pointee.lastSlot(atOrBefore: page)
      guard slot >= 0 else { return nil }
      let child = node.pointee.children[slot]
      if node.pointee.isLeaf { return VMAPointer(bitPattern: child) }
      node = NodePointer(bitPattern: child).unsafelyUnwrapped
    }
  }

  /// The area with the smallest first page above `page`.
  func firstArea(startingAfter page: UInt64) -> VMAPointer? {
    Node.first(after: page, in: NodePointer(bitPattern: UInt(root.load(ordering: .acquiring))))
  }

  /// Calls `body` with every area, in address order.
  func forEach(_ body: (VMAPointer) -> Void) {
    var next = firstArea(endingAfter: 0)
    while let area = next {
      next = firstArea(startingAfter: area.start)
      body(area)
    }
  }

  func insert(_ area: VMAPointer) {
    let entry = UInt(bitPattern: area)
    guard let old = NodePointer(bitPattern: UInt(root.load(ordering: .relaxed))) else {
      return publish(Node.make(isLeaf: true, [(area.start, entry)]))
    }
    var replaced: [NodePointer] = []
    let pieces = Node.inserting((area.start, entry), into: old, &replaced)
    let isOne = pieces.count == 1
    publish(isOne ? pieces[0] : Node.make(isLeaf: false, pieces.map { ($0.pointee.keys[0], UInt(bitPattern: $0)) }))
    retire(replaced)
  }

  /// Takes out the area that starts at `start`.
  func remove(startingAt start: UInt64) {
    guard let old = NodePointer(bitPattern: UInt(root.load(ordering: .relaxed))) else { return }
    var replaced: [NodePointer] = []
    var new = Node.removing(start, from: old, &replaced)
    while let node = new, !node.pointee.isLeaf, node.pointee.count == 1 {
      new = NodePointer(bitPattern: node.pointee.children[0])
      replaced.append(node)
    }
    publish(new)
    retire(replaced)
  }

  /// Only now that no new reader gets there: an epoch that began between retiring and publishing would not protect it.
  private func retire(_ nodes: [NodePointer]) {
    for node in nodes { epochs.retire { node.free() } }
  }

  private func publish(_ node: NodePointer?) {
    root.store(UInt64(UInt(bitPattern: node)), ordering: .releasing)
  }

  // MARK: Nodes

  private typealias NodePointer = UnsafeMutablePointer<Node>

  /// Up to 16 keys with an area or a child each. Written once, before it is published.
  fileprivate struct Node: ~Copyable {
    static let capacity = 16

    var count: Int
    var isLeaf: Bool
    var keys: InlineArray<16, UInt64>
    var children: InlineArray<16, UInt>

    /// The last slot whose key is not above `page`, -1 when there is none.
    @inline(__always)
    func lastSlot(atOrBefore page: UInt64) -> Int {
      #if ModelCheck
        withUnsafePointer(to: self) { SchedulePoint.touched($0) }
      #endif
      var slot = count &- 1
      while slot >= 0, keys[slot] > page { slot &-= 1 }
      return slot
    }

    static func make(isLeaf: Bool, _ entries: [(key: UInt64, child: UInt)]) -> UnsafeMutablePointer<Node> {
      let node = UnsafeMutablePointer<Node>.allocate(capacity: 1)
      node.initialize(
        to: Node(count: entries.count, isLeaf: isLeaf, keys: .init(repeating: 0), children: .init(repeating: 0)))
      for (slot, entry) in entries.enumerated() {
        node.pointee.keys[slot] = entry.key
        node.pointee.children[slot] = entry.child
      }
      return node
    }

    /// A copy of `node` with `entry`, as one node or two, and the nodes that it replaces.
    static func inserting(
      _ entry: (key: UInt64, child: UInt), into node: UnsafeMutablePointer<Node>,
      _ replaced: inout [UnsafeMutablePointer<Node>]
    ) -> [UnsafeMutablePointer<Node>] {
      var entries = node.pointee.entries
      let slot = node.pointee.lastSlot(atOrBefore: entry.key)
      if node.pointee.isLeaf {
        entries.insert(entry, at: slot + 1)
      } else {
        let place = max(0, slot)
        let child = UnsafeMutablePointer<Node>(bitPattern: entries[place].child).unsafelyUnwrapped
        let pieces = inserting(entry, into: child, &replaced)
        entries.replaceSubrange(
          place...place, with: pieces.map { (key: $0.pointee.keys[0], child: UInt(bitPattern: $0)) })
      }
      let isLeaf = node.pointee.isLeaf
      replaced.append(node)
      guard entries.count > capacity else { return [make(isLeaf: isLeaf, entries)] }
      let half = entries.count / 2
      return [make(isLeaf: isLeaf, Array(entries[..<half])), make(isLeaf: isLeaf, Array(entries[half...]))]
    }

    /// A copy of `node` without the entry of `key`, `nil` when that was its last, and the nodes that it replaces.
    static func removing(
      _ key: UInt64, from node: UnsafeMutablePointer<Node>, _ replaced: inout [UnsafeMutablePointer<Node>]
    ) -> UnsafeMutablePointer<Node>? {
      var entries = node.pointee.entries
      let slot = node.pointee.lastSlot(atOrBefore: key)
      guard slot >= 0 else { return node }
      if node.pointee.isLeaf {
        guard entries[slot].key == key else { return node }
        entries.remove(at: slot)
      } else {
        let child = UnsafeMutablePointer<Node>(bitPattern: entries[slot].child).unsafelyUnwrapped
        if let new = removing(key, from: child, &replaced) {
          entries[slot] = (new.pointee.keys[0], UInt(bitPattern: new))
        } else {
          entries.remove(at: slot)
        }
      }
      let isLeaf = node.pointee.isLeaf
      replaced.append(node)
      return entries.isEmpty ? nil : make(isLeaf: isLeaf, entries)
    }

    static func first(after page: UInt64, in node: UnsafeMutablePointer<Node>?) -> VMAPointer? {
      guard let node else { return nil }
      for slot in max(0, node.pointee.lastSlot(atOrBefore: page))..<node.pointee.count {
        if node.pointee.isLeaf {
          if node.pointee.keys[slot] > page { return VMAPointer(bitPattern: node.pointee.children[slot]) }
        } else if let found = first(
          after: page, in: UnsafeMutablePointer<Node>(bitPattern: node.pointee.children[slot]))
        {
          return found
        }
      }
      return nil
    }

    static func freeTree(_ entry: UInt64) {
      guard let node = UnsafeMutablePointer<Node>(bitPattern: UInt(entry)) else { return }
      if !node.pointee.isLeaf {
        for slot in 0..<node.pointee.count { freeTree(UInt64(node.pointee.children[slot])) }
      }
      node.free()
    }

    private var entries: [(key: UInt64, child: UInt)] {
      (0..<count).map { (keys[$0], children[$0]) }
    }
  }
}

extension UnsafeMutablePointer where Pointee == VMATree.Node {
  fileprivate func free() {
    deinitialize(count: 1)
    #if ModelCheck
      FreedMemory.quarantine(self, byteCount: MemoryLayout<Pointee>.stride)
    #else
      deallocate()
    #endif
  }
}
