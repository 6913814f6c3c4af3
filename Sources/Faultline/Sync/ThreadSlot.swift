import CLinux

/// The place of the calling thread in what is kept once for each of a few threads instead of once for all.
/// Kernel: per-CPU data, `raw_smp_processor_id`.
///
/// With more threads than slots some share one, so what lies there is still a shared word or under a lock. A single thread
/// stays in its slot, so what it does there does not depend on which that is.
enum ThreadSlot {
  #if ModelCheck
    /// One, so that an exploration does not depend on which of the host's threads it runs on.
    static let count = 1
    static var current: Int { 0 }
  #else
    static let count = 16

    @inline(__always)
    static var current: Int { Int(cl_thread_number_get()) & (count - 1) }
  #endif
}

/// A number that many threads change and few read: a word for each slot. Kernel: `percpu_counter`.
///
/// A handle on raw memory; whoever made it destroys it. `@unchecked Sendable`: the memory holds shared words only.
struct SpreadCounter: @unchecked Sendable {
  private let words: UnsafeMutableRawPointer

  init() {
    words = .allocate(byteCount: ThreadSlot.count * CacheLines.bytes, alignment: CacheLines.bytes)
    for slot in 0..<ThreadSlot.count {
      (words + slot * CacheLines.bytes).bindMemory(to: AtomicWord.self, capacity: 1).initialize(to: AtomicWord(0))
    }
  }

  func destroy() { words.deallocate() }

  @inline(__always)
  func add(_ amount: UInt64) { word(ThreadSlot.current).pointee.wrappingAdd(amount, ordering: .relaxed) }

  @inline(__always)
  func subtract(_ amount: UInt64) { word(ThreadSlot.current).pointee.wrappingSubtract(amount, ordering: .relaxed) }

  /// Exact while nobody changes it.
  var sum: UInt64 {
    var sum: UInt64 = 0
    for slot in 0..<ThreadSlot.count { sum &+= word(slot).pointee.load(ordering: .relaxed) }
    return sum
  }

  @inline(__always)
  private func word(_ slot: Int) -> WordPointer {
    (words + slot &* CacheLines.bytes).assumingMemoryBound(to: AtomicWord.self)
  }
}
