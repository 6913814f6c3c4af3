/// Where a descriptor's readahead stands. Kernel: `struct file_ra_state`.
///
/// Everything that reads or faults through one open file shares it, without a lock: updates race, as in the kernel, and a
/// lost one costs a guess.
struct ReadaheadState: ~Copyable {
  /// The last window: [start, start + size), whose next one is due when start + size - asyncSize is touched.
  let start: AtomicWord
  let size: AtomicWord
  let asyncSize: AtomicWord
  /// The largest window in pages. Kernel: `ra_pages`.
  let maximum: AtomicWord
  /// log2 of the pages in the folios that the next window asks for (6.16 and later).
  let order: AtomicWord
  /// Faults that had to read, less those that did not. Kernel: `mmap_miss`.
  let misses: AtomicWord
  /// The byte after the last read(2), all ones before the first. Faults never change it. Kernel: `prev_pos`.
  let previousPosition: AtomicWord

  init(maximum: UInt64) {
    start = AtomicWord(0)
    size = AtomicWord(0)
    asyncSize = AtomicWord(0)
    self.maximum = AtomicWord(maximum)
    order = AtomicWord(0)
    misses = AtomicWord(0)
    previousPosition = AtomicWord(.max)
  }
}

typealias ReadaheadPointer = UnsafeMutablePointer<ReadaheadState>

/// One window to read: what the order-sized submission needs to know.
struct ReadaheadWindow {
  var start: UInt64
  var size: UInt64
  var asyncSize: UInt64
}

extension ReadaheadPointer {
  var window: ReadaheadWindow {
    get {
      ReadaheadWindow(
        start: pointee.start.load(ordering: .relaxed), size: pointee.size.load(ordering: .relaxed),
        asyncSize: pointee.asyncSize.load(ordering: .relaxed))
    }
    nonmutating set {
      pointee.start.store(newValue.start, ordering: .relaxed)
      pointee.size.store(newValue.size, ordering: .relaxed)
      pointee.asyncSize.store(newValue.asyncSize, ordering: .relaxed)
    }
  }

  @inline(__always)
  var maximum: UInt64 { pointee.maximum.load(ordering: .relaxed) }

  /// More misses than this, and a fault reads its page alone. Kernel: `MMAP_LOTSAMISS`.
  static var lotsOfMisses: UInt64 { 100 }

  /// Counts a fault that must read; says how many there are now.
  func countMiss() -> UInt64 {
    let seen = pointee.misses.load(ordering: .relaxed)
    guard seen < Self.lotsOfMisses * 10 else { return seen }
    pointee.misses.store(seen + 1, ordering: .relaxed)
    return seen + 1
  }

  /// Takes `hits` misses back, as far as there are any.
  @inline(__always)
  func forgetMisses(_ hits: UInt64) {
    let seen = pointee.misses.load(ordering: .relaxed)
    if seen != 0, hits != 0 { pointee.misses.store(seen > hits ? seen - hits : 0, ordering: .relaxed) }
  }
}
