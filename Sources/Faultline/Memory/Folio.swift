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

  /// Page-table entries that map `frame`, a page of some folio. Kernel: `page_mapcount`.
  @inline(__always)
  static func mapCount(of frame: FramePointer) -> UInt64 {
    (frame.pointee.life.load(ordering: .relaxed) & Frame.mapMask) >> 32
  }

  /// Counts one more entry that maps `frame`. Its reference is the caller's to provide.
  @inline(__always)
  static func addMapping(of frame: FramePointer) {
    frame.pointee.life.wrappingAdd(Frame.mapUnit, ordering: .relaxed)
  }

  @inline(__always)
  static func removeMapping(of frame: FramePointer) {
    frame.pointee.life.wrappingSubtract(Frame.mapUnit, ordering: .releasing)
  }

  /// Turns a single-page folio's lookup reference into an entry's and unlocks it, in one step.
  @inline(__always)
  func becomeMappedAndUnlock() {
    head.pointee.life.wrappingAdd(Frame.mapUnit &- Frame.lockBit, ordering: .releasing)
  }

  /// Whether an entry maps any of its pages.
  var isMapped: Bool {
    for page in 0..<Int(pageCount) where Folio.mapCount(of: head + page) != 0 { return true }
    return false
  }

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
