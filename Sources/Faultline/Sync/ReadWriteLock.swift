/// A reader/writer lock in one shared word: writers first, readers counted.
///
/// Kernel terms: `mmap_lock`, `invalidate_lock`. Bit 63 is the writer, bit 62 says that a writer waits (new readers hold
/// back so that it gets in), the rest counts readers. Not recursive in either mode: a reader that asks again behind a
/// waiting writer would wait for itself.
public struct ReadWriteLock: ~Copyable {
  private static let writer: UInt64 = 1 << 63
  private static let writerWaiting: UInt64 = 1 << 62
  private let word: AtomicWord

  public init() { word = AtomicWord(0) }

  @inline(__always)
  public borrowing func tryLockShared() -> Bool {
    let seen = word.load(ordering: .relaxed)
    guard seen < Self.writerWaiting else { return false }
    return word.compareExchange(
      expected: seen, desired: seen &+ 1, successOrdering: .acquiring, failureOrdering: .relaxed
    ).exchanged
  }

  @inline(__always)
  public borrowing func lockShared() {
    while !tryLockShared() { waitForWriters() }
  }

  @inline(__always)
  public borrowing func unlockShared() {
    word.wrappingSubtract(1, ordering: .releasing)
  }

  public borrowing func lockExclusive() {
    while true {
      let seen = word.load(ordering: .relaxed)
      if seen & ~Self.writerWaiting == 0 {
        if word.compareExchange(
          expected: seen, desired: Self.writer, successOrdering: .acquiring, failureOrdering: .relaxed
        ).exchanged {
          return
        }
      } else {
        word.bitwiseOr(Self.writerWaiting, ordering: .relaxed)
        spinHint(on: word)
      }
    }
  }

  /// Another writer may have announced itself meanwhile; its mark stays.
  public borrowing func unlockExclusive() {
    word.bitwiseAnd(~Self.writer, ordering: .releasing)
  }

  /// Whether a reader or a writer holds it at this moment.
  var isHeld: Bool { word.load(ordering: .relaxed) & ~Self.writerWaiting != 0 }

  private borrowing func waitForWriters() {
    while word.load(ordering: .relaxed) >= Self.writerWaiting { spinHint(on: word) }
  }
}
