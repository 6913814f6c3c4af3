/// "Another processor could run here": what the explorer hears of a thread.
///
/// A build without the trait `ModelCheck` has no trace of it.
#if ModelCheck

  public enum SchedulePoint {
    public enum Kind: Sendable {
      case load, store, update
      /// The thread cannot go on until somebody writes the word at this address.
      case spin(UInt)
    }

    /// Called before each operation on a shared word, on the thread that makes it.
    ///
    /// Set it before the threads under test start and clear it after they ended; it is not itself synchronised, because a
    /// lock here would order the very accesses that are under test.
    nonisolated(unsafe) public static var observer: (@Sendable (Kind) -> Void)?

    @inline(__always)
    static func reached(_ kind: Kind) {
      observer?(kind)
    }
  }

#endif
