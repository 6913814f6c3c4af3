/// A folio: one or more consecutive frames that live, move and are locked as one. Kernel: `struct folio`.
///
/// A handle, as wide as a pointer and as cheap to copy; it holds no reference by itself. Who must hold one says so.
struct Folio: Equatable {
  /// The metadata of the first frame.
  let head: FramePointer

  /// The folio that `frame` belongs to. A reference on it, or the lock of what points to it, keeps the answer true.
  @inline(__always)
  init(of frame: FramePointer) {
    let head = frame.pointee.head.load(ordering: .acquiring)
    self.head = head == 0 ? frame : FramePointer(bitPattern: UInt(head)).unsafelyUnwrapped
  }

  @inline(__always)
  init(head: FramePointer) { self.head = head }

  // MARK: Shape and place

  /// log2 of the folio's pages.
  @inline(__always)
  var order: UInt64 { head.pointee.flags.load(ordering: .relaxed) >> FolioFlags.orderShift }

  @inline(__always)
  var pageCount: UInt64 { 1 << order }

  /// The first page in the cache that the folio lies in.
  @inline(__always)
  var index: UInt64 { head.pointee.index.load(ordering: .relaxed) }

  /// One past its last page there.
  @inline(__always)
  var endIndex: UInt64 { index &+ pageCount }

  /// The frame of page `pageIndex` of the cache, which must lie in the folio.
  @inline(__always)
  func frame(forPage pageIndex: UInt64) -> FramePointer { head + Int(pageIndex &- index) }

  @inline(__always)
  func lies(in cache: UnsafeMutablePointer<PageCache>) -> Bool {
    head.pointee.mapping.load(ordering: .relaxed) == UInt64(UInt(bitPattern: cache))
  }

  // MARK: References

  var references: UInt64 { head.pointee.life.load(ordering: .relaxed) & Frame.referenceMask }

  /// Keeps, in debug builds, who changed the references; nothing in others.
  @inline(__always)
  func note(_ change: Int64, _ caller: StaticString) {
    #if DEBUG
      ReferenceLedger.note(head, change, by: caller)
    #endif
  }

  /// Takes a reference unless the folio is free or being freed. Kernel: `folio_try_get`.
  @inline(__always)
  func tryGet(_ caller: StaticString = #function) -> Bool {
    var seen = head.pointee.life.load(ordering: .relaxed)
    while seen & Frame.referenceMask != 0 {
      let (exchanged, now) = head.pointee.life.weakCompareExchange(
        expected: seen, desired: seen &+ Frame.referenceUnit, successOrdering: .acquiring, failureOrdering: .relaxed)
      if exchanged {
        note(1, caller)
        return true
      }
      seen = now
    }
    return false
  }

  /// Takes further references. The caller already holds one.
  @inline(__always)
  func get(_ count: UInt64 = 1, _ caller: StaticString = #function) {
    note(Int64(count), caller)
    head.pointee.life.wrappingAdd(count &* Frame.referenceUnit, ordering: .relaxed)
  }

  /// Gives references back; the last one frees the folio.
  @inline(__always)
  func put(_ count: UInt64 = 1, to memory: PhysicalMemory, _ caller: StaticString = #function) {
    note(-Int64(count), caller)
    let life = head.pointee.life.wrappingSubtract(
      count &* Frame.referenceUnit, ordering: .acquiringAndReleasing
    ).newValue
    if life & Frame.referenceMask == 0 { memory.free(self) }
  }

  // MARK: Lock

  @inline(__always)
  var isLocked: Bool { head.pointee.life.load(ordering: .relaxed) & Frame.lockBit != 0 }

  @inline(__always)
  func tryLock() -> Bool {
    head.pointee.life.bitwiseOr(Frame.lockBit, ordering: .acquiring).oldValue & Frame.lockBit == 0
  }

  @inline(__always)
  func lock() {
    while !tryLock() {
      while isLocked { spinHint(on: head.pointee.life) }
    }
  }

  @inline(__always)
  func unlock() {
    head.pointee.life.bitwiseAnd(~Frame.lockBit, ordering: .releasing)
  }

  /// Reference and lock in one step, or nothing: what a prefault may do, which cannot wait.
  @inline(__always)
  func tryGetAndLock(_ caller: StaticString = #function) -> Bool {
    let seen = head.pointee.life.load(ordering: .relaxed)
    if seen & Frame.referenceMask == 0 || seen & Frame.lockBit != 0 { return false }
    let taken = head.pointee.life.compareExchange(
      expected: seen, desired: (seen &+ Frame.referenceUnit) | Frame.lockBit, successOrdering: .acquiring,
      failureOrdering: .relaxed
    ).exchanged
    if taken { note(1, caller) }
    return taken
  }

  // MARK: Entries that map it

  /// Page-table entries that map `frame`, a page of the folio, alone or with all others. Kernel: `folio_precise_page_mapcount`.
  func mapCount(of frame: FramePointer) -> UInt64 {
    let own = (frame.pointee.life.load(ordering: .relaxed) & Frame.mapMask) >> 32
    return order == 0 ? own : own &+ hugeMapCount
  }

  /// Counts one more entry that maps `frame`, a page of the folio. Its reference is the caller's to provide.
  @inline(__always)
  func addMapping(of frame: FramePointer) {
    frame.pointee.life.wrappingAdd(Frame.mapUnit, ordering: .relaxed)
    if order != 0 { tail.pointee.index.wrappingAdd(1, ordering: .relaxed) }
  }

  @inline(__always)
  func removeMapping(of frame: FramePointer) {
    frame.pointee.life.wrappingSubtract(Frame.mapUnit, ordering: .releasing)
    if order != 0 { tail.pointee.index.wrappingSubtract(1, ordering: .releasing) }
  }

  /// Counts one more entry for each of `count` frames from `first`, all of one folio of several pages.
  func addMappings(from first: FramePointer, count: Int) {
    for page in 0..<count { (first + page).pointee.life.wrappingAdd(Frame.mapUnit, ordering: .relaxed) }
    tail.pointee.index.wrappingAdd(UInt64(count), ordering: .relaxed)
  }

  /// Counts one more huge entry, which maps the whole of a folio of several pages.
  func addHugeMapping() {
    tail.pointee.owner.wrappingAdd(1, ordering: .relaxed)
    tail.pointee.index.wrappingAdd(1, ordering: .relaxed)
  }

  func removeHugeMapping() {
    tail.pointee.owner.wrappingSubtract(1, ordering: .releasing)
    tail.pointee.index.wrappingSubtract(1, ordering: .releasing)
  }

  /// Turns one huge entry into an entry for each page, without a moment in which the folio looks unmapped.
  func splitHugeMapping() {
    addMappings(from: head, count: Int(pageCount))
    removeHugeMapping()
  }

  /// Huge entries that map it. Kernel: `folio_entire_mapcount`.
  var hugeMapCount: UInt64 { order == 0 ? 0 : tail.pointee.owner.load(ordering: .relaxed) }

  /// Entries of either size that map any of its pages. Kernel: `folio_mapcount`.
  var totalMapCount: UInt64 { order == 0 ? mapCount(of: head) : tail.pointee.index.load(ordering: .relaxed) }

  /// The counts of a folio of several pages lie in its first tail, which is in no cache and on no list: huge entries in
  /// ``Frame/owner``, all entries in ``Frame/index``, pins in ``Frame/previous``. Kernel: `_entire_mapcount`, `_large_mapcount`,
  /// `_pincount`.
  var tail: FramePointer { head + 1 }

  /// Begins the counts of a folio of several pages anew, while nobody can find it.
  func clearCounts() {
    tail.pointee.owner.store(0, ordering: .relaxed)
    tail.pointee.index.store(0, ordering: .relaxed)
    tail.pointee.previous.store(0, ordering: .relaxed)
  }

  /// Turns a single-page folio's lookup reference into an entry's and unlocks it, in one step.
  @inline(__always)
  func becomeMappedAndUnlock() {
    head.pointee.life.wrappingAdd(Frame.mapUnit &- Frame.lockBit, ordering: .releasing)
  }

  /// Whether an entry maps any of its pages.
  var isMapped: Bool { totalMapCount != 0 }

  // MARK: Flags

  @inline(__always)
  var flags: FolioFlags { FolioFlags(rawValue: head.pointee.flags.load(ordering: .acquiring)) }

  @inline(__always)
  func contains(_ flag: FolioFlags) -> Bool { head.pointee.flags.load(ordering: .acquiring) & flag.rawValue != 0 }

  /// Sets the flags; says whether all of them were clear before.
  @inline(__always) @discardableResult
  func insert(_ flag: FolioFlags) -> Bool {
    head.pointee.flags.bitwiseOr(flag.rawValue, ordering: .releasing).oldValue & flag.rawValue == 0
  }

  /// Clears the flags; says whether any of them was set before.
  @inline(__always) @discardableResult
  func remove(_ flag: FolioFlags) -> Bool {
    head.pointee.flags.bitwiseAnd(~flag.rawValue, ordering: .releasing).oldValue & flag.rawValue != 0
  }
}
