#if ModelCheck

  import Synchronization

  /// What freed memory looks like, so that whoever still uses it is found out.
  ///
  /// Tables, cache nodes and page contents are filled when they go back to their allocator and must be unchanged when they
  /// come from it again; areas and nodes of their tree wait in a quarantine, filled, before the host gets them back. Kernel:
  /// `slub_debug=P`, `page_poison`, the quarantine of KASAN.
  enum FreedMemory {
    /// Kernel: `POISON_FREE`. As an entry or a pointer it leads nowhere.
    private static let pattern: UInt64 = 0x6b6b_6b6b_6b6b_6b6b
    /// More than an exploration frees in one execution.
    private static let quarantineLimit = 1024

    /// `@unchecked Sendable`: a pointer that only the quarantine's owner uses, under its lock.
    private struct Grave: @unchecked Sendable {
      let memory: UnsafeMutableRawPointer
      let byteCount: Int
    }

    /// Not a lock of the engine's: it orders nothing that is under test, and is no scheduling point.
    private static let quarantine = Mutex<(graves: [Grave], oldest: Int)>(([], 0))

    /// Says that nobody may touch the memory from now on. It is a whole number of words.
    static func bury(_ memory: UnsafeMutableRawPointer, byteCount: Int) {
      memory.initializeMemory(as: UInt64.self, repeating: pattern, count: byteCount / 8)
      SchedulePoint.freed(memory, byteCount: byteCount)
    }

    /// Takes buried memory into use again.
    ///
    /// - Parameter zeroing: whether its new owner may rely on zeroes; else it finds the pattern.
    static func exhume(_ memory: UnsafeMutableRawPointer, byteCount: Int, zeroing: Bool = true) {
      inspect(memory, byteCount: byteCount)
      SchedulePoint.allocated(memory, byteCount: byteCount)
      if zeroing { memory.initializeMemory(as: UInt64.self, repeating: 0, count: byteCount / 8) }
    }

    /// Buries memory of the host's allocator and gives back what has been buried longest.
    static func quarantine(_ memory: UnsafeMutableRawPointer, byteCount: Int) {
      bury(memory, byteCount: byteCount)
      let new = Grave(memory: memory, byteCount: byteCount)
      let old: Grave? = quarantine.withLock { yard in
        guard yard.graves.count == quarantineLimit else {
          yard.graves.append(new)
          return nil
        }
        let old = yard.graves[yard.oldest]
        yard.graves[yard.oldest] = new
        yard.oldest = (yard.oldest + 1) % quarantineLimit
        return old
      }
      guard let old else { return }
      inspect(old.memory, byteCount: old.byteCount)
      SchedulePoint.allocated(old.memory, byteCount: old.byteCount)
      old.memory.deallocate()
    }

    private static func inspect(_ memory: UnsafeMutableRawPointer, byteCount: Int) {
      let words = UnsafeRawBufferPointer(start: memory, count: byteCount & ~7).bindMemory(to: UInt64.self)
      guard let place = words.firstIndex(where: { $0 != pattern }) else { return }
      SchedulePoint.damaged(memory + place * 8)
    }
  }

#endif
