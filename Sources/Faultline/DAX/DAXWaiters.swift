/// The threads that wait for locked DAX entries. Kernel: `wait_table` of `fs/dax.c`.
///
/// A waiter's key is the file and the index at which the entry it saw begins; it is woken only for that key. So whoever changes an
/// entry's size under waiters wakes with the old one's key, and wakes all: one that finds nothing would not wake the next.
///
/// `@unchecked Sendable`: the queues are guarded by their locks; what a waiter spins on is a shared word.
final class DAXWaiters: @unchecked Sendable {
  /// How many of the matching waiters go on.
  enum Wake {
    /// The first of those that will wake another in turn, and all that never will.
    case next
    case all
  }

  struct Waiter: ~Copyable {
    let cache: PageCachePointer
    let index: UInt64
    /// Whether it will wake another when it has its turn.
    let isExclusive: Bool
    let isWoken = AtomicWord(0)
    var next: UnsafeMutablePointer<Waiter>?
  }

  private struct Queue: ~Copyable {
    let lock = SpinLock()
    var first: UnsafeMutablePointer<Waiter>?
  }

  private static let count = 64
  private let queues: UnsafeMutablePointer<Queue>

  init() {
    queues = .allocate(capacity: Self.count)
    for number in 0..<Self.count { (queues + number).initialize(to: Queue()) }
  }

  deinit { queues.deallocate() }

  private func queue(_ cache: PageCachePointer, _ index: UInt64) -> UnsafeMutablePointer<Queue> {
    let mixed = (UInt64(UInt(bitPattern: cache)) ^ index) &* 0x9E37_79B9_7F4A_7C15
    return queues + Int(mixed >> 58)
  }

  /// Queues the thread up, under the lock that guards the entry: a wake for what is waited for cannot come before.
  func enqueue(_ cache: PageCachePointer, _ index: UInt64, isExclusive: Bool) -> UnsafeMutablePointer<Waiter> {
    let waiter = UnsafeMutablePointer<Waiter>.allocate(capacity: 1)
    waiter.initialize(to: Waiter(cache: cache, index: index, isExclusive: isExclusive))
    let queue = queue(cache, index)
    queue.pointee.lock.lock()
    var last = queue.pointee.first
    while let next = last?.pointee.next { last = next }
    if let last { last.pointee.next = waiter } else { queue.pointee.first = waiter }
    queue.pointee.lock.unlock()
    return waiter
  }

  /// Returns when the waiter has been woken.
  func wait(_ waiter: UnsafeMutablePointer<Waiter>) {
    while waiter.pointee.isWoken.load(ordering: .acquiring) == 0 { spinHint(on: waiter.pointee.isWoken) }
    waiter.deinitialize(count: 1)
    waiter.deallocate()
  }

  func wake(_ cache: PageCachePointer, _ index: UInt64, _ mode: Wake) {
    let queue = queue(cache, index)
    queue.pointee.lock.lock()
    defer { queue.pointee.lock.unlock() }
    var before: UnsafeMutablePointer<Waiter>?
    var next = queue.pointee.first
    while let waiter = next {
      next = waiter.pointee.next
      guard waiter.pointee.cache == cache, waiter.pointee.index == index else {
        before = waiter
        continue
      }
      let isLast = waiter.pointee.isExclusive && mode == .next
      if let before { before.pointee.next = next } else { queue.pointee.first = next }
      // The waiter's memory is its own again.
      waiter.pointee.isWoken.store(1, ordering: .releasing)
      if isLast { return }
    }
  }
}
