/// The memory of page tables: 4096-byte tables of 512 shared words, and a lock for each.
///
/// Tables come zeroed and go back zeroed: the last thing that happens to a table is that all its entries are none, so
/// nothing is cleared twice. Any thread may use it.
///
/// `@unchecked Sendable`: raw memory that never moves; the free list is guarded by `lock`, the rest are shared words.
final class TableMemory: @unchecked Sendable {
  /// What is known of a table besides its entries.
  struct Metadata: ~Copyable {
    /// Guards the table's entries. Kernel: the split `ptl`.
    let lock: SpinLock
    /// The next table while in the free list or deposited: its number plus 1, or 0.
    let nextFree: AtomicWord
    /// Of a middle table: the table that was deposited last, as its number plus 1, or 0. Guarded by `lock`.
    let deposits: AtomicWord
    /// Threads that fault in different tables do not meet in their locks.
    private let gap: CacheLines.Gap
  }

  private let tables: ReservedRegion
  private let metadataRegion: ReservedRegion
  private let metadata: UnsafeMutablePointer<Metadata>
  private let capacity: UInt64
  private let lock = SpinLock()
  private let firstFree = AtomicWord(0)
  private let watermark = AtomicWord(0)
  private let live = AtomicWord(0)
  private let epochs: EpochDomain

  /// - Throws: `ENOMEM` when the host cannot reserve the address space.
  init(capacity: UInt64, epochs: EpochDomain) throws(KernelError) {
    self.capacity = capacity
    self.epochs = epochs
    tables = try ReservedRegion(byteCount: Int(capacity) << Int(PageSize.shift), purpose: "page tables")
    metadataRegion = try ReservedRegion(
      byteCount: Int(capacity) * MemoryLayout<Metadata>.stride, purpose: "page-table locks")
    metadata = metadataRegion.base.bindMemory(to: Metadata.self, capacity: Int(capacity))
  }

  #if DEBUG || ModelCheck
    /// What is wrong on purpose in the machine whose memory this is. Set once, before anybody else knows of it.
    nonisolated(unsafe) var switches: DebugSwitches?
  #endif

  /// Tables that are in use.
  var liveTables: UInt64 { live.load(ordering: .relaxed) }

  /// A table of 512 none entries; `nil` when there is none left.
  func allocate() -> PageTable.Table? {
    lock.lock()
    defer { lock.unlock() }
    let number: UInt64
    let head = firstFree.load(ordering: .relaxed)
    if head != 0 {
      number = head - 1
      firstFree.store(metadata[Int(number)].nextFree.load(ordering: .relaxed), ordering: .relaxed)
      #if ModelCheck
        FreedMemory.exhume(table(number: number).entries, byteCount: Int(PageSize.bytes))
      #endif
    } else {
      number = watermark.load(ordering: .relaxed)
      guard number < capacity else { return nil }
      watermark.store(number + 1, ordering: .relaxed)
    }
    live.wrappingAdd(1, ordering: .relaxed)
    return table(number: number)
  }

  func table(number: UInt64) -> PageTable.Table {
    let memory = tables.base + Int(number) << Int(PageSize.shift)
    return PageTable.Table(entries: memory.bindMemory(to: AtomicWord.self, capacity: 512))
  }

  /// Takes back a table whose entries are all none and that walkers could reach, once none can be in it.
  func retire(_ table: PageTable.Table) {
    live.wrappingSubtract(1, ordering: .relaxed)
    #if DEBUG || ModelCheck
      if switches?.has(.freesTableAtOnce) == true { return recycle(table) }
    #endif
    epochs.retire { self.recycle(table) }
  }

  /// Takes back a table whose entries are all none and that nobody else has seen.
  func free(_ table: PageTable.Table) {
    live.wrappingSubtract(1, ordering: .relaxed)
    recycle(table)
  }

  private func recycle(_ table: PageTable.Table) {
    let number = UInt64(number(of: table))
    lock.lock()
    metadata[Int(number)].nextFree.store(firstFree.load(ordering: .relaxed), ordering: .relaxed)
    firstFree.store(number + 1, ordering: .relaxed)
    #if ModelCheck
      FreedMemory.bury(table.entries, byteCount: Int(PageSize.bytes))
    #endif
    lock.unlock()
  }

  @inline(__always)
  func metadata(of table: PageTable.Table) -> UnsafeMutablePointer<Metadata> { metadata + number(of: table) }

  @inline(__always)
  func number(of table: PageTable.Table) -> Int {
    (UnsafeMutableRawPointer(table.entries) - tables.base) >> Int(PageSize.shift)
  }
}
