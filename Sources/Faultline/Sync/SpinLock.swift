import CLinux

/// A test-and-test-and-set lock in one shared word.
///
/// For sections of a few dozen instructions that never block: page-table locks, cache slots, the frame allocator.
/// Kernel term: `spinlock_t`. Any thread may take it; it is not recursive.
public struct SpinLock: ~Copyable, Sendable {
  private let word: AtomicWord

  public init() { word = AtomicWord(0) }

  @inline(__always)
  public borrowing func tryLock() -> Bool {
    word.compareExchange(expected: 0, desired: 1, successOrdering: .acquiring, failureOrdering: .relaxed).exchanged
  }

  @inline(__always)
  public borrowing func lock() {
    while !tryLock() { waitUntilFree() }
  }

  @inline(__always)
  public borrowing func unlock() {
    word.store(0, ordering: .releasing)
  }

  @inline(__always)
  public borrowing func withLock<Value: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    lock()
    defer { unlock() }
    return try body()
  }

  /// Whether somebody holds it at this moment.
  var isLocked: Bool { word.load(ordering: .relaxed) != 0 }

  private borrowing func waitUntilFree() {
    while word.load(ordering: .relaxed) != 0 { spinHint(on: word) }
  }
}

/// Says that the calling thread waits for somebody to write `word`.
///
/// Under the explorer the thread blocks here until that happens; otherwise the processor is told that it spins, and goes to
/// another thread now and then.
@inline(__always)
package func spinHint(on word: borrowing AtomicWord) {
  #if ModelCheck
    SchedulePoint.reached(.spin, word)
  #else
    cl_pause()
  #endif
}
