/// Single frames at hand for the threads of one slot, so that most allocations touch nothing that other threads write.
/// Kernel: `per_cpu_pages`.
///
/// A frame in a cache is in no free list and has no references. The newest is handed out first. Lock order: a cache's lock,
/// then the allocator's.
struct FrameCache: ~Copyable {
  let lock = SpinLock()
  /// Under `lock`.
  let first = AtomicWord(0)
  let count = AtomicWord(0)
}

extension PhysicalMemory {
  #if ModelCheck
    /// None: an exploration shall see each frame go back at once.
    static let cachesFrames = false
  #else
    static let cachesFrames = true
  #endif

  /// The most frames that move between a cache and the free lists at once.
  private static let largestBatch: UInt64 = 64
  /// A cache holds so many batches at most: 32 MiB in large machines, since a program that frees much allocates much.
  private static let batchesInCache: UInt64 = 128

  private var batch: UInt64 { min(Self.largestBatch, max(1, frameCount >> 8)) }

  @inline(__always)
  private func cache(_ slot: Int) -> UnsafeMutablePointer<FrameCache> {
    (caches + slot &* CacheLines.bytes).assumingMemoryBound(to: FrameCache.self)
  }

  static func makeCaches() -> UnsafeMutableRawPointer {
    let caches = UnsafeMutableRawPointer.allocate(
      byteCount: ThreadSlot.count * CacheLines.bytes, alignment: CacheLines.bytes)
    for slot in 0..<ThreadSlot.count {
      (caches + slot * CacheLines.bytes).bindMemory(to: FrameCache.self, capacity: 1).initialize(to: FrameCache())
    }
    return caches
  }

  /// A single frame; `nil` when neither this cache nor the free lists have one.
  func takeCached() -> FramePointer? {
    let cache = cache(ThreadSlot.current)
    cache.pointee.lock.lock()
    defer { cache.pointee.lock.unlock() }
    if cache.pointee.first.load(ordering: .relaxed) == 0 { fill(cache) }
    return pop(cache)
  }

  /// Keeps a frame that nobody holds any more.
  func keep(_ frame: FramePointer) {
    let cache = cache(ThreadSlot.current)
    cache.pointee.lock.lock()
    defer { cache.pointee.lock.unlock() }
    frame.pointee.flags.store(0, ordering: .relaxed)
    push(frame, cache)
    guard cache.pointee.count.load(ordering: .relaxed) > batch &* Self.batchesInCache else { return }
    giveBack(batch, of: cache)
  }

  /// Gives all cached frames back to the free lists, where they merge. Kernel: `drain_all_pages`.
  func drainCaches() {
    for slot in 0..<ThreadSlot.count {
      let cache = cache(slot)
      cache.pointee.lock.withLock { giveBack(.max, of: cache) }
    }
  }

  // MARK: Under the cache's lock

  /// In such an order that the frame that was taken first is handed out first.
  private func fill(_ cache: UnsafeMutablePointer<FrameCache>) {
    lock.lock()
    defer { lock.unlock() }
    var last: FramePointer?
    for _ in 0..<batch {
      guard let frame = takeSingle() else { return }
      let word = UInt64(UInt(bitPattern: frame))
      frame.pointee.next.store(0, ordering: .relaxed)
      if let last {
        last.pointee.next.store(word, ordering: .relaxed)
      } else {
        cache.pointee.first.store(word, ordering: .relaxed)
      }
      cache.pointee.count.store(cache.pointee.count.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
      last = frame
    }
  }

  private func giveBack(_ count: UInt64, of cache: UnsafeMutablePointer<FrameCache>) {
    lock.lock()
    defer { lock.unlock() }
    var left = count
    while left > 0, let frame = pop(cache) {
      giveBack(frame, order: 0)
      left -= 1
    }
  }

  @inline(__always)
  private func push(_ frame: FramePointer, _ cache: UnsafeMutablePointer<FrameCache>) {
    frame.pointee.next.store(cache.pointee.first.load(ordering: .relaxed), ordering: .relaxed)
    cache.pointee.first.store(UInt64(UInt(bitPattern: frame)), ordering: .relaxed)
    cache.pointee.count.store(cache.pointee.count.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
  }

  @inline(__always)
  private func pop(_ cache: UnsafeMutablePointer<FrameCache>) -> FramePointer? {
    guard let frame = FramePointer(bitPattern: UInt(cache.pointee.first.load(ordering: .relaxed))) else { return nil }
    cache.pointee.first.store(frame.pointee.next.load(ordering: .relaxed), ordering: .relaxed)
    cache.pointee.count.store(cache.pointee.count.load(ordering: .relaxed) &- 1, ordering: .relaxed)
    return frame
  }
}
