/// # Cache
///
/// What is known of a file in memory: the page cache over its pages, readahead into it, and the file itself.
///
/// Laws
/// 1. A page has at most one folio in the cache. The slot owns one reference for each page of the folio.
/// 2. Slots change only under the cache's lock; readers take none, and check after taking a reference that the folio still
///    lies where they found it.
/// 3. A folio enters the cache locked and not up to date; it is unlocked once the store has answered, good or bad.
/// 4. The file's size changes first, its folios go after: who holds a folio's lock and finds its page below the size may map
///    it.
/// 5. Readahead never fails a caller. What it could not read is read again, and answered for, by whoever needs the page.
///
/// Lock order: the file's content lock (exclusive for truncate and punch), a folio's lock, the cache's slot lock.
///
/// This folder calls `Memory/` and `Sync/`, and `Tables/` through the list of areas that map a file.

/// The slots of a page cache: a radix tree of 64-slot nodes with marks and entries that span several slots.
///
/// A handle on raw memory. Writers hold the lock of the cache; readers need nothing, because node memory is never handed to
/// another use. Kernel: `struct xarray`.
///
/// An entry is 0 (empty), a value (bit 0 set: a shadow or a DAX entry, never a folio) or the address of a folio's head. An
/// entry of order n lies in the first of its slots; the others hold siblings that point back at it.
struct XArray {
  /// The three properties a slot can be searched by.
  enum Mark: Int {
    case dirty, writeback, toWrite
  }

  let root: WordPointer
  /// Where nodes come from; it outlives this handle, whose copies count no references to it.
  private let source: Unmanaged<XArrayMemory>
  var memory: XArrayMemory { source.takeUnretainedValue() }

  @inline(__always)
  init(root: WordPointer, memory: XArrayMemory) {
    self.root = root
    source = .passUnretained(memory)
  }

  @inline(__always)
  static func isValue(_ entry: UInt64) -> Bool { entry & 1 != 0 }

  /// Anything but a folio's address: empty, a value or a node.
  @inline(__always)
  static func folio(_ entry: UInt64) -> Folio? {
    guard entry & 3 == 0, let head = FramePointer(bitPattern: UInt(entry)) else { return nil }
    return Folio(head: head)
  }

  // MARK: Reading

  /// The entry that covers `index`, 0 when there is none.
  @inline(__always)
  func load(_ index: UInt64) -> UInt64 {
    var cursor = XArrayCursor(self)
    return cursor.load(index)
  }

  /// The first index at or after `start` and at most `end` whose entry is a folio or a value, with that entry.
  func first(from start: UInt64, through end: UInt64) -> (index: UInt64, entry: UInt64)? {
    var cursor = XArrayCursor(self)
    var index = start
    while index <= end {
      let entry = cursor.load(index)
      if entry != 0 { return (index, entry) }
      let next = cursor.endOfEmpty(at: index)
      if next <= index { return nil }
      index = next
    }
    return nil
  }

  /// The first index at or after `start` and at most `end` that carries `mark`, with its entry.
  func first(marked mark: Mark, from start: UInt64, through end: UInt64) -> (index: UInt64, entry: UInt64)? {
    var index = start
    while index <= end, let found = first(from: index, through: end) {
      if isMarked(found.index, mark) { return found }
      index = found.index + 1
    }
    return nil
  }

  func isMarked(_ index: UInt64, _ mark: Mark) -> Bool {
    guard let place = place(of: index) else { return false }
    return place.node.marks(mark).pointee.load(ordering: .relaxed) & 1 << UInt64(place.slot) != 0
  }

  // MARK: Writing, under the cache's lock

  /// Puts `entry` over the 2^`order` aligned slots from `index`, which must all be empty or values. A larger value in the way
  /// stays for the rest of what it covers.
  ///
  /// - Returns: `false` when a folio lies in the way or there is no memory; then nothing changed.
  func store(_ entry: UInt64, at index: UInt64, order: UInt64) -> Bool {
    let level = order / XArrayNode.bits
    let shift = level * XArrayNode.bits
    guard let node = descend(to: index, shift: shift) else { return false }
    let slot = Int(index >> shift & 63)
    let width = 1 << Int(order % XArrayNode.bits)
    for sibling in slot..<slot + width {
      node.spreadValue(over: sibling)
      let there = node.slot(sibling).pointee.load(ordering: .relaxed)
      guard there == 0 || XArray.isValue(there) || XArrayNode(entry: there)?.holdsOnlyValues == true else {
        return false
      }
    }
    put(entry, in: node, slots: slot..<slot + width)
    return true
  }

  /// Empties the entry that covers `index`, all its slots and marks, and frees the nodes that this leaves empty.
  func erase(_ index: UInt64) {
    guard let place = place(of: index) else { return }
    let node = place.node
    var slot = place.slot
    repeat {
      node.slot(slot).pointee.store(0, ordering: .releasing)
      for mark in [Mark.dirty, .writeback, .toWrite] {
        node.marks(mark).pointee.bitwiseAnd(~(1 << UInt64(slot)), ordering: .relaxed)
      }
      node.count.pointee.wrappingSubtract(1, ordering: .relaxed)
      slot += 1
    } while slot < 64 && node.slot(slot).pointee.load(ordering: .relaxed) == XArrayNode.sibling(of: place.slot)
    prune(node)
  }

  func setMark(_ mark: Mark, at index: UInt64, to value: Bool) {
    guard let place = place(of: index) else { return }
    let bit: UInt64 = 1 << UInt64(place.slot)
    if value {
      place.node.marks(mark).pointee.bitwiseOr(bit, ordering: .relaxed)
    } else {
      place.node.marks(mark).pointee.bitwiseAnd(~bit, ordering: .relaxed)
    }
  }

  // MARK: Nodes

  /// The node and slot that hold the entry covering `index`; `nil` when it is empty.
  func place(of index: UInt64) -> (node: XArrayNode, slot: Int)? {
    guard var node = XArrayNode(entry: root.pointee.load(ordering: .acquiring)), index <= node.maximumIndex else {
      return nil
    }
    while true {
      let slot = node.canonicalSlot(of: index)
      let entry = node.slot(slot).pointee.load(ordering: .acquiring)
      guard let child = XArrayNode(entry: entry) else { return entry == 0 ? nil : (node, slot) }
      node = child
    }
  }

  /// The node of `shift` that covers `index`, made with all above it where missing; `nil` without memory or when a larger
  /// entry lies in the way.
  func descend(to index: UInt64, shift: UInt64) -> XArrayNode? {
    guard var node = grow(toCover: index, shift: shift) else { return nil }
    while node.shift > shift {
      let slot = Int(index >> node.shift & 63)
      node.spreadValue(over: slot)
      let entry = node.slot(slot).pointee.load(ordering: .relaxed)
      if let child = XArrayNode(entry: entry) {
        node = child
      } else {
        guard entry == 0 || XArray.isValue(entry), let child = memory.allocate(shift: node.shift - XArrayNode.bits)
        else { return nil }
        child.parent.pointee.store(node.entry, ordering: .relaxed)
        child.slotInParent.pointee.store(UInt64(slot), ordering: .relaxed)
        if entry == 0 { node.count.pointee.wrappingAdd(1, ordering: .relaxed) } else { child.fill(with: entry) }
        node.slot(slot).pointee.store(child.entry, ordering: .releasing)
        node = child
      }
    }
    return node
  }

  /// The topmost node, after adding levels above it until it covers `index` at no less than `shift`.
  private func grow(toCover index: UInt64, shift: UInt64) -> XArrayNode? {
    guard var top = XArrayNode(entry: root.pointee.load(ordering: .relaxed)) else {
      var needed = shift
      while index >> needed > 63 { needed += XArrayNode.bits }
      guard let node = memory.allocate(shift: needed) else { return nil }
      root.pointee.store(node.entry, ordering: .releasing)
      return node
    }
    while index > top.maximumIndex || top.shift < shift {
      guard let above = memory.allocate(shift: top.shift + XArrayNode.bits) else { return nil }
      above.slot(0).pointee.store(top.entry, ordering: .relaxed)
      above.count.pointee.store(1, ordering: .relaxed)
      top.slotInParent.pointee.store(0, ordering: .relaxed)
      // A walk may be in `top` already and climb from there.
      top.parent.pointee.store(above.entry, ordering: .releasing)
      root.pointee.store(above.entry, ordering: .releasing)
      top = above
    }
    return top
  }

  /// Frees `node` and its ancestors as long as they are empty.
  private func prune(_ node: XArrayNode) {
    var node = node
    while node.count.pointee.load(ordering: .relaxed) == 0 {
      let parent = XArrayNode(entry: node.parent.pointee.load(ordering: .relaxed))
      if let parent {
        parent.slot(Int(node.slotInParent.pointee.load(ordering: .relaxed))).pointee.store(0, ordering: .releasing)
        parent.count.pointee.wrappingSubtract(1, ordering: .relaxed)
      } else {
        root.pointee.store(0, ordering: .releasing)
      }
      memory.retire(node)
      guard let parent else { return }
      node = parent
    }
  }
}
