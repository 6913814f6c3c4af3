import Faultline

/// A run of a file's pages that lie one behind the other on the device.
///
/// On the device: 0 first page of the file (4) · 4 pages, top bit set for unwritten (4) · 8 first block (8).
struct Extent: Hashable, Sendable {
  static let byteCount = 16
  private static let unwritten: UInt32 = 1 << 31
  /// Pages in one extent, at most.
  static let longest: UInt64 = 1 << 31 - 1

  var page: UInt64
  var count: UInt64
  var block: UInt64
  var isWritten: Bool

  /// The page behind it.
  var end: UInt64 { page &+ count }
  var blocks: Range<UInt64> { block..<block &+ count }

  init(page: UInt64, count: UInt64, block: UInt64, isWritten: Bool) {
    self.page = page
    self.count = count
    self.block = block
    self.isWritten = isWritten
  }

  init(decoding at: UnsafeRawPointer) {
    let count: UInt32 = at.number(4)
    page = UInt64(at.number(0, as: UInt32.self))
    self.count = UInt64(count & ~Extent.unwritten)
    block = at.number(8)
    isWritten = count & Extent.unwritten == 0
  }

  func encode(into at: UnsafeMutableRawPointer) {
    at.set(0, UInt32(truncatingIfNeeded: page))
    at.set(4, UInt32(truncatingIfNeeded: count) | (isWritten ? 0 : Extent.unwritten))
    at.set(8, block)
  }

  /// Whether `next` goes on where this ends, in the file and on the device.
  func adjoins(_ next: Extent) -> Bool { end == next.page && block &+ count == next.block }
}

/// A file's extents in the order of its pages. Neighbours that could be one are one.
struct ExtentList: Sendable {
  private(set) var items: [Extent] = []
  /// The first that may differ from what was written to the device last; `Int.max` for none.
  private(set) var changedFrom = Int.max

  init() {}

  /// Extents as they were read, or `nil` when they overlap, are out of order or lie outside `blocks`.
  init?(checking items: [Extent], within blocks: Range<UInt64>) {
    var end: UInt64 = 0
    for item in items {
      guard item.count > 0, item.page >= end, item.end <= FileLimit.pages, item.block >= blocks.lowerBound,
        item.block < blocks.upperBound, item.count <= blocks.upperBound - item.block
      else { return nil }
      end = item.end
    }
    self.items = items
  }

  mutating func markEncoded() { changedFrom = .max }
  mutating func markChanged(from index: Int) { touch(index) }

  var blockCount: UInt64 { items.reduce(0) { $0 &+ $1.count } }

  /// The first extent that ends behind `page`.
  func index(endingAfter page: UInt64) -> Int {
    var (low, high) = (0, items.count)
    while low < high {
      let middle = (low + high) / 2
      if items[middle].end > page { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// What lies at a page: the extent around it, or the hole up to the next one.
  enum Place {
    case extent(Int)
    case hole(until: UInt64)
  }

  func place(_ page: UInt64) -> Place {
    let index = index(endingAfter: page)
    guard index < items.count else { return .hole(until: FileLimit.pages) }
    return items[index].page <= page ? .extent(index) : .hole(until: items[index].page)
  }

  /// Pages of a hole get blocks.
  mutating func insert(_ extent: Extent) {
    let index = index(endingAfter: extent.page)
    items.insert(extent, at: index)
    touch(index)
    merge(around: index..<index + 1)
  }

  /// The blocks of these pages hold data from now on.
  mutating func setWritten(_ pages: Range<UInt64>, _ isWritten: Bool) {
    guard !pages.isEmpty else { return }
    let inside = cut(pages)
    for index in inside { items[index].isWritten = isWritten }
    merge(around: inside)
  }

  /// These pages become a hole. Returns what lay there.
  mutating func remove(_ pages: Range<UInt64>) -> [Extent] {
    guard !pages.isEmpty else { return [] }
    let inside = cut(pages)
    let removed = Array(items[inside])
    items.removeSubrange(inside)
    return removed
  }

  /// Lets extents begin and end at the range's ends, and says which lie within.
  private mutating func cut(_ pages: Range<UInt64>) -> Range<Int> {
    split(at: pages.lowerBound)
    split(at: pages.upperBound)
    let first = index(endingAfter: pages.lowerBound)
    var last = first
    while last < items.count, items[last].page < pages.upperBound { last += 1 }
    touch(first)
    return first..<last
  }

  private mutating func split(at page: UInt64) {
    guard case .extent(let index) = place(page), items[index].page < page else { return }
    var tail = items[index]
    let head = page - tail.page
    items[index].count = head
    tail.page = page
    tail.count -= head
    tail.block += head
    items.insert(tail, at: index + 1)
    touch(index)
  }

  private mutating func merge(around range: Range<Int>) {
    var index = max(range.lowerBound - 1, 0)
    var end = min(range.upperBound, items.count - 1)
    while index < end {
      let (one, next) = (items[index], items[index + 1])
      if one.isWritten == next.isWritten, one.adjoins(next), one.count + next.count <= Extent.longest {
        items[index].count += next.count
        items.remove(at: index + 1)
        touch(index)
        end -= 1
      } else {
        index += 1
      }
    }
  }

  private mutating func touch(_ index: Int) { changedFrom = min(changedFrom, index) }
}

/// What a file's offsets and pages stay below.
enum FileLimit {
  static let pages: UInt64 = 1 << 32 - 1
  static let bytes: UInt64 = pages << PageSize.shift
}
