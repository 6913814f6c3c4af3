/// "Another processor could run here": what the explorer hears of a thread.
///
/// A build without the trait `ModelCheck` has no trace of it.
#if ModelCheck

  public enum SchedulePoint {
    /// What the thread is about to do with a word. Two operations on one word depend on each other when one of them changes
    /// it; whether an update does, only ``Observer/changed`` tells.
    public enum Kind: UInt8, Sendable {
      case load, store, update
      /// Wait until another thread has changed the word since this one last loaded it.
      case spin
    }

    /// Who listens. Functions without a context, because they are called some hundred times for each fault.
    public struct Observer: Sendable {
      /// Before each operation, on the thread that makes it, with the address of the word.
      public let reached: @Sendable @convention(c) (_ kind: UInt8, _ address: UInt) -> Void
      /// After an operation that left another value than it found, on the same thread.
      public let changed: @Sendable @convention(c) () -> Void
      /// A range of memory is given back (`isFree`) or handed out: nobody may touch a word of it in between.
      public let resized: @Sendable @convention(c) (_ address: UInt, _ byteCount: Int, _ isFree: Bool) -> Void
      /// Plain memory at this address is about to be read: no scheduling point, but it must not be free.
      public let touched: @Sendable @convention(c) (_ address: UInt) -> Void
      /// Memory was written to while it was free, which shows only now.
      public let damaged: @Sendable @convention(c) (_ address: UInt) -> Void

      public init(
        reached: @escaping @Sendable @convention(c) (UInt8, UInt) -> Void,
        changed: @escaping @Sendable @convention(c) () -> Void,
        resized: @escaping @Sendable @convention(c) (UInt, Int, Bool) -> Void,
        touched: @escaping @Sendable @convention(c) (UInt) -> Void,
        damaged: @escaping @Sendable @convention(c) (UInt) -> Void
      ) {
        self.reached = reached
        self.changed = changed
        self.resized = resized
        self.touched = touched
        self.damaged = damaged
      }
    }

    /// Set it before the threads under test start and clear it after they ended; it is not itself synchronised, because a
    /// lock here would order the very accesses that are under test.
    nonisolated(unsafe) public static var observer: Observer?

    @inline(__always)
    static func reached(_ kind: Kind, _ word: borrowing AtomicWord) {
      guard let observer else { return }
      withUnsafePointer(to: word) { observer.reached(kind.rawValue, UInt(bitPattern: $0)) }
    }

    @inline(__always)
    static func changed(from old: UInt64, to new: UInt64) {
      if old != new { observer?.changed() }
    }

    /// Says that memory with shared words went back to its allocator, which keeps it: a later access is a use after free.
    static func freed(_ memory: UnsafeMutableRawPointer, byteCount: Int) {
      observer?.resized(UInt(bitPattern: memory), byteCount, true)
    }

    /// Says that plain memory is about to be read.
    static func touched(_ memory: UnsafeRawPointer) { observer?.touched(UInt(bitPattern: memory)) }

    /// Says that freed memory was written to. Without somebody who listens there is nobody to tell but the debugger.
    static func damaged(_ memory: UnsafeRawPointer) {
      guard let observer else { preconditionFailure("memory was written to after it had been freed") }
      observer.damaged(UInt(bitPattern: memory))
    }

    /// Says that memory comes from its allocator.
    static func allocated(_ memory: UnsafeMutableRawPointer, byteCount: Int) {
      observer?.resized(UInt(bitPattern: memory), byteCount, false)
    }
  }

#endif
