/// A node of an ``XArray``: 64 slots, three mark words and its place in the tree. Kernel: `struct xa_node`.
struct XArrayNode: Equatable {
  /// log2 of the slots.
  static let bits: UInt64 = 6
  /// 64 slots, 3 mark words, shift, slot in the parent, parent, count of slots in use, and the next node while it is free.
  static let wordCount = 72

  let words: WordPointer

  @inline(__always)
  init(words: WordPointer) { self.words = words }

  /// The node that an entry points to; `nil` for anything else.
  @inline(__always)
  init?(entry: UInt64) {
    guard entry & 3 == 2, entry > 4096 else { return nil }
    words = WordPointer(bitPattern: UInt(entry & ~2)).unsafelyUnwrapped
  }

  /// The entry that points to this node.
  @inline(__always)
  var entry: UInt64 { UInt64(UInt(bitPattern: words)) | 2 }

  /// What the further slots of an entry hold whose first slot is `slot`.
  @inline(__always)
  static func sibling(of slot: Int) -> UInt64 { UInt64(slot) << 2 | 2 }

  @inline(__always)
  func slot(_ number: Int) -> WordPointer { words + number }

  @inline(__always)
  func marks(_ mark: XArray.Mark) -> WordPointer { words + (64 + mark.rawValue) }

  /// Each slot covers 2^shift indices.
  @inline(__always)
  var shift: UInt64 { words[67].load(ordering: .relaxed) }

  @inline(__always)
  var slotInParent: WordPointer { words + 68 }

  @inline(__always)
  var parent: WordPointer { words + 69 }

  /// Slots that are not empty.
  @inline(__always)
  var count: WordPointer { words + 70 }

  /// Address of the next node in the free list.
  @inline(__always)
  var nextFree: WordPointer { words + 71 }

  /// The largest index that a tree with this node on top covers.
  @inline(__always)
  var maximumIndex: UInt64 { shift >= 58 ? .max : (64 << shift) &- 1 }

  /// Gives each slot of a value that lies over several, `slot` among them, the value itself: from then on each can change
  /// alone. Nothing for other entries.
  func spreadValue(over slot: Int) {
    let first = canonicalSlot(of: UInt64(slot) << shift)
    let value = words[first].load(ordering: .relaxed)
    guard XArray.isValue(value) else { return }
    var next = first + 1
    while next < 64, words[next].load(ordering: .relaxed) == Self.sibling(of: first) {
      words[next].store(value, ordering: .releasing)
      next += 1
    }
  }

  /// Whether no folio lies in this node or below it.
  var holdsOnlyValues: Bool {
    for slot in 0..<64 {
      let entry = words[canonicalSlot(of: UInt64(slot) << shift)].load(ordering: .relaxed)
      if entry == 0 || XArray.isValue(entry) { continue }
      guard XArrayNode(entry: entry)?.holdsOnlyValues == true else { return false }
    }
    return true
  }

  /// Gives every slot of a new node the same value.
  func fill(with value: UInt64) {
    for slot in 0..<64 { words[slot].store(value, ordering: .relaxed) }
    count.pointee.store(64, ordering: .relaxed)
  }

  /// The slot that holds the entry covering `index`: its own, or the first of the entry's when it is a sibling.
  @inline(__always)
  func canonicalSlot(of index: UInt64) -> Int {
    let slot = Int(index >> shift & 63)
    let entry = words[slot].load(ordering: .acquiring)
    return entry & 3 == 2 && entry <= 4096 ? Int(entry >> 2) : slot
  }
}

/// The memory of all cache nodes of a machine. Any thread may use it.
///
/// `@unchecked Sendable`: raw memory that never moves; the free list is guarded by `lock`.
final class XArrayMemory: @unchecked Sendable {
  private let region: ReservedRegion
  private let capacity: UInt64
  private let lock = SpinLock()
  private let watermark = AtomicWord(0)
  /// Address of the first free node.
  private let firstFree = AtomicWord(0)
  private let live = AtomicWord(0)
  private let epochs: EpochDomain

  /// - Throws: `ENOMEM` when the host cannot reserve the address space.
  init(capacity: UInt64, epochs: EpochDomain) throws(KernelError) {
    self.capacity = capacity
    self.epochs = epochs
    region = try ReservedRegion(
      byteCount: Int(capacity) * XArrayNode.wordCount * MemoryLayout<AtomicWord>.stride, purpose: "cache nodes")
  }

  /// Nodes that are in use.
  var liveNodes: UInt64 { live.load(ordering: .relaxed) }

  /// An empty node; `nil` when there is none left.
  func allocate(shift: UInt64) -> XArrayNode? {
    lock.lock()
    defer { lock.unlock() }
    let node: XArrayNode
    if let words = WordPointer(bitPattern: UInt(firstFree.load(ordering: .relaxed))) {
      node = XArrayNode(words: words)
      firstFree.store(node.nextFree.pointee.load(ordering: .relaxed), ordering: .relaxed)
      #if ModelCheck
        FreedMemory.exhume(node.words, byteCount: (XArrayNode.wordCount - 1) * MemoryLayout<AtomicWord>.stride)
      #endif
    } else {
      let number = watermark.load(ordering: .relaxed)
      guard number < capacity else { return nil }
      watermark.store(number + 1, ordering: .relaxed)
      let base = region.base.bindMemory(to: AtomicWord.self, capacity: Int(capacity) * XArrayNode.wordCount)
      node = XArrayNode(words: base + Int(number) * XArrayNode.wordCount)
    }
    live.wrappingAdd(1, ordering: .relaxed)
    node.words[67].store(shift, ordering: .relaxed)
    node.parent.pointee.store(0, ordering: .relaxed)
    return node
  }

  /// Takes back a node whose slots are all empty, once no reader can be in it.
  func retire(_ node: XArrayNode) {
    live.wrappingSubtract(1, ordering: .relaxed)
    epochs.retire { self.free(node) }
  }

  private func free(_ node: XArrayNode) {
    lock.lock()
    node.nextFree.pointee.store(firstFree.load(ordering: .relaxed), ordering: .relaxed)
    firstFree.store(UInt64(UInt(bitPattern: node.words)), ordering: .relaxed)
    #if ModelCheck
      FreedMemory.bury(node.words, byteCount: (XArrayNode.wordCount - 1) * MemoryLayout<AtomicWord>.stride)
    #endif
    lock.unlock()
  }
}
