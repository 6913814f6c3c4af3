/// The page frames of a machine: metadata, contents (if it keeps any) and the allocator.
///
/// Any thread may use it. Frames are numbered from 0 in the order in which they were first needed, so one sequence of
/// requests always gives the same frames. Behind the machine's own frames come those of its devices.
///
/// `@unchecked Sendable`: raw memory that never moves, whose words are atomic or guarded by `lock`.
public final class PhysicalMemory: @unchecked Sendable {
  /// Whether pages have bytes.
  public enum Contents: Sendable {
    /// Only metadata: what a replay needs. Loads give zero.
    case none
    /// 4096 bytes behind every frame.
    case bytes
  }

  /// The order of a folio that one middle-level entry can map: 2 MiB. Kernel: `HPAGE_PMD_ORDER`.
  public static let pmdOrder: UInt64 = 9

  /// How many frames there are.
  public let frameCount: UInt64
  let frames: FramePointer
  private let metadata: ReservedRegion
  private let bytes: ReservedRegion?
  private let bytesBase: UnsafeMutableRawPointer?
  /// The first frame that is a device's.
  let deviceFrames: FramePointer
  let devices = DeviceRanges()
  /// A ``FrameCache`` for each thread slot.
  let caches = PhysicalMemory.makeCaches()
  private let used = SpreadCounter()
  private let gap = CacheLines.Gap()
  let lock = SpinLock()
  /// Frames from here on were never handed out. Guarded by `lock`.
  let watermark = AtomicWord(0)
  #if DEBUG
    let ledger: ReferenceLedger
  #endif
  /// Heads of the free lists by order. Guarded by `lock`.
  let freeLists: WordPointer

  /// - Throws: `ENOMEM` when the host cannot reserve the address space. Frames cost host memory only once used.
  public init(frameCount: UInt64, contents: Contents) throws(KernelError) {
    guard frameCount > 0, frameCount <= 1 << 31 else {
      throw KernelError(.EINVAL, "a machine has between 1 and 2^31 frames, not \(frameCount)")
    }
    self.frameCount = frameCount
    metadata = try ReservedRegion(
      byteCount: Int(frameCount + DeviceRanges.capacity) * MemoryLayout<Frame>.stride, purpose: "frame metadata")
    if contents == .bytes {
      let region = try ReservedRegion(byteCount: Int(frameCount) << Int(PageSize.shift), purpose: "page contents")
      bytesBase = region.base
      bytes = consume region
    } else {
      bytesBase = nil
      bytes = nil
    }
    frames = metadata.base.bindMemory(to: Frame.self, capacity: Int(frameCount + DeviceRanges.capacity))
    deviceFrames = frames + Int(frameCount)
    #if DEBUG
      ledger = try ReferenceLedger(frames: frames, frameCount: frameCount + DeviceRanges.capacity)
    #endif
    freeLists = .allocate(capacity: Int(Self.pmdOrder) + 1)
    for order in 0...Int(Self.pmdOrder) { (freeLists + order).initialize(to: AtomicWord(0)) }
  }

  deinit {
    freeLists.deallocate()
    caches.deallocate()
    used.destroy()
  }

  /// The last changes of a frame's references, oldest first, such as `+1 lookUp(_:)`. Empty in release builds.
  package func referenceHistory(ofFrame number: UInt64) -> [String] {
    #if DEBUG
      return number < frameCount + DeviceRanges.capacity ? ledger.history(frame: Int(number)) : []
    #else
      return []
    #endif
  }

  /// Frames that somebody holds.
  public var usedFrames: UInt64 { used.sum }

  public var hasContents: Bool { bytesBase != nil }

  @inline(__always)
  func number(of frame: FramePointer) -> FrameNumber { FrameNumber(rawValue: UInt64(frame - frames)) }

  @inline(__always)
  func frame(_ number: FrameNumber) -> FramePointer { frames + Int(number.rawValue) }

  /// The 4096 bytes of a frame; `nil` in a machine without contents. Those of a device are for loads: see ``DAXDevice/bytes``.
  @inline(__always)
  func contents(of frame: FramePointer) -> UnsafeMutableRawPointer? {
    if frame >= deviceFrames { return deviceContents(of: frame) }
    guard let base = bytesBase else { return nil }
    let contents = base + (frame - frames) << Int(PageSize.shift)
    #if ModelCheck
      SchedulePoint.touched(contents)
    #endif
    return contents
  }

  // MARK: Allocation

  /// A folio of 2^`order` frames with one reference, in no cache, not up to date, contents undefined.
  ///
  /// - Parameter locked: whether it is born locked. A prefault that saw the frame in its former life may lock an unlocked
  ///   one until it has looked where it lies: who needs the lock of a fresh folio must never have to take it.
  /// - Returns: `nil` when there is none left.
  func allocate(order: UInt64, locked: Bool = false, _ caller: StaticString = #function) -> Folio? {
    guard let head = order == 0 && Self.cachesFrames ? takeCached() ?? takeBlock(0) : takeBlock(order) else {
      return nil
    }
    used.add(1 << order)
    head.pointee.flags.store(order << FolioFlags.orderShift, ordering: .relaxed)
    head.pointee.mapping.store(0, ordering: .relaxed)
    head.pointee.head.store(0, ordering: .relaxed)
    for tail in 1..<max(1, 1 << Int(order)) {
      (head + tail).pointee.head.store(UInt64(UInt(bitPattern: head)), ordering: .relaxed)
    }
    let folio = Folio(head: head)
    if order != 0 { folio.clearCounts() }
    head.pointee.life.store(Frame.referenceUnit | (locked ? Frame.lockBit : 0), ordering: .releasing)
    folio.note(1, caller)
    return folio
  }

  /// A folio with zeroed contents.
  func allocateZeroed(order: UInt64, _ caller: StaticString = #function) -> Folio? {
    guard let folio = allocate(order: order, caller) else { return nil }
    contents(of: folio.head)?.initializeMemory(
      as: UInt64.self, repeating: 0, count: 512 << Int(order))
    return folio
  }

  /// Takes back a folio whose last reference is gone.
  func free(_ folio: Folio) {
    if folio.head >= deviceFrames { return DevicePageMap.forget(folio) }
    let order = folio.order
    for tail in 1..<max(1, 1 << Int(order)) { (folio.head + tail).pointee.head.store(0, ordering: .relaxed) }
    used.subtract(1 << order)
    if order == 0, Self.cachesFrames { return keep(folio.head) }
    lock.withLock { giveBack(folio.head, order: order) }
  }

  /// A block from the free lists; when they have none that large, what is cached goes back and may make one.
  private func takeBlock(_ order: UInt64) -> FramePointer? {
    if let head = lock.withLock({ takeFree(order: order) ?? takeFresh(order: order) }) { return head }
    guard Self.cachesFrames else { return nil }
    drainCaches()
    return lock.withLock { takeFree(order: order) ?? takeFresh(order: order) }
  }

  #if ModelCheck
    /// The contents of frames that go to a free list. Their metadata may be looked at even then.
    private func bury(_ head: FramePointer, order: UInt64) {
      guard let bytesBase else { return }
      FreedMemory.bury(
        bytesBase + (head - frames) << Int(PageSize.shift), byteCount: Int(PageSize.bytes) << Int(order))
    }

    private func exhume(_ head: FramePointer, order: UInt64) {
      guard let bytesBase else { return }
      FreedMemory.exhume(
        bytesBase + (head - frames) << Int(PageSize.shift), byteCount: Int(PageSize.bytes) << Int(order),
        zeroing: false)
    }
  #endif

  // MARK: Buddy lists, all under `lock`

  func takeSingle() -> FramePointer? { takeFree(order: 0) ?? takeFresh(order: 0) }

  private func takeFree(order: UInt64) -> FramePointer? {
    var found = order
    while found <= Self.pmdOrder, freeLists[Int(found)].load(ordering: .relaxed) == 0 { found += 1 }
    guard found <= Self.pmdOrder, let head = pointer(freeLists[Int(found)].load(ordering: .relaxed)) else { return nil }
    unlink(head, order: found)
    while found > order {
      found -= 1
      link(head + (1 << Int(found)), order: found)
    }
    #if ModelCheck
      exhume(head, order: order)
    #endif
    return head
  }

  /// Frames from the part that was never used; what is skipped for alignment goes to the free lists.
  private func takeFresh(order: UInt64) -> FramePointer? {
    var next = watermark.load(ordering: .relaxed)
    while next & ((1 << order) - 1) != 0 {
      let gap = UInt64(next.trailingZeroBitCount)
      guard next + 1 << gap <= frameCount else { return nil }
      watermark.store(next + (1 << gap), ordering: .relaxed)
      giveBack(frames + Int(next), order: gap)
      next += 1 << gap
    }
    guard next + (1 << order) <= frameCount else { return nil }
    watermark.store(next + (1 << order), ordering: .relaxed)
    return frames + Int(next)
  }

  /// Merges with the free buddy, and that pair with its buddy, as far as it goes.
  func giveBack(_ freed: FramePointer, order: UInt64) {
    #if ModelCheck
      bury(freed, order: order)
    #endif
    var number = UInt64(freed - frames)
    var order = order
    while order < Self.pmdOrder {
      let buddy = number ^ (1 << order)
      guard buddy + (1 << order) <= watermark.load(ordering: .relaxed) else { break }
      let flags = frames[Int(buddy)].flags.load(ordering: .relaxed)
      guard flags == FolioFlags.free.rawValue | order << FolioFlags.orderShift else { break }
      unlink(frames + Int(buddy), order: order)
      number &= ~(1 << order)
      order += 1
    }
    link(frames + Int(number), order: order)
  }

  private func link(_ head: FramePointer, order: UInt64) {
    let list = freeLists + Int(order)
    let first = list.pointee.load(ordering: .relaxed)
    head.pointee.flags.store(FolioFlags.free.rawValue | order << FolioFlags.orderShift, ordering: .relaxed)
    head.pointee.next.store(first, ordering: .relaxed)
    head.pointee.previous.store(0, ordering: .relaxed)
    pointer(first)?.pointee.previous.store(UInt64(UInt(bitPattern: head)), ordering: .relaxed)
    list.pointee.store(UInt64(UInt(bitPattern: head)), ordering: .relaxed)
  }

  private func unlink(_ head: FramePointer, order: UInt64) {
    let next = head.pointee.next.load(ordering: .relaxed)
    let previous = head.pointee.previous.load(ordering: .relaxed)
    head.pointee.flags.store(0, ordering: .relaxed)
    pointer(next)?.pointee.previous.store(previous, ordering: .relaxed)
    if let before = pointer(previous) {
      before.pointee.next.store(next, ordering: .relaxed)
    } else {
      freeLists[Int(order)].store(next, ordering: .relaxed)
    }
  }

  private func pointer(_ word: UInt64) -> FramePointer? { FramePointer(bitPattern: UInt(word)) }
}
