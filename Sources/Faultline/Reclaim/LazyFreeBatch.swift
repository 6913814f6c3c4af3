/// Private pages that MADV_FREE was said of and that do not count as free yet: a processor collects them and moves them together,
/// when there are enough or when something else has it tidy up. Kernel: the `lru_lazyfree` batch, `lru_add_drain`.
///
/// One batch stands for all processors. `@unchecked Sendable`: `pending` is guarded by `lock`.
final class LazyFreeBatch: @unchecked Sendable {
  private let lock = SpinLock()
  private let memory: PhysicalMemory
  private var pending: [Folio] = []

  /// Kernel: `PAGEVEC_SIZE`.
  private static var capacity: Int { 31 }

  init(memory: PhysicalMemory) { self.memory = memory }

  /// The caller holds the lock of a table with an entry that maps the folio.
  func add(_ folio: Folio) {
    lock.lock()
    defer { lock.unlock() }
    guard !folio.contains(.lazilyFreed) else { return }
    // What lies there twice is moved once.
    folio.insert(.freePending)
    pending.append(folio)
    // A large folio does not wait.
    if pending.count == Self.capacity || folio.pageCount > 1 { move() }
  }

  /// Moves what has been collected so far.
  func drain() {
    lock.lock()
    defer { lock.unlock() }
    move()
  }

  /// What lies here holds no reference: a frame that was freed meanwhile, and perhaps used anew, has lost its mark.
  private func move() {
    for folio in pending where folio.tryGet() {
      if folio.remove(.freePending) { folio.insert(.lazilyFreed) }
      folio.put(to: memory)
    }
    pending.removeAll(keepingCapacity: true)
  }
}
