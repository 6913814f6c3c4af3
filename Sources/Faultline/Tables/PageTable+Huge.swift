/// # Huge entries
///
/// One entry of a middle table that maps 2 MiB, and the tables deposited for the day when it is split.
///
/// Laws
/// 1. A huge entry is set only where nothing is entered, under its table's lock: who finds a leaf table there goes on by
///    single pages.
/// 2. What is set takes over a reference on its folio and, for private memory, a table. What is refused leaves both to the
///    caller, whose value says so.
/// 3. The deposited tables of a middle table are a stack under its lock: as many as it has huge entries of private memory.

/// A table that nobody has entered yet; its end gives it back. Kernel: `prealloc_pte`, `pgtable_t`.
struct SpareTable: ~Copyable {
  private let table: PageTable.Table
  private let memory: Unmanaged<TableMemory>

  /// - Returns: `nil` when there is no memory.
  init?(memory: TableMemory) {
    guard let table = memory.allocate() else { return nil }
    self.table = table
    self.memory = Unmanaged.passUnretained(memory)
  }

  /// Takes over a table that nobody can reach any more.
  init(owning table: PageTable.Table, memory: TableMemory) {
    self.table = table
    self.memory = Unmanaged.passUnretained(memory)
  }

  deinit {
    #if DEBUG || ModelCheck
      if memory._withUnsafeGuaranteedRef({ $0.switches?.has(.keepsSpareTable) }) == true { return }
    #endif
    memory._withUnsafeGuaranteedRef { $0.free(table) }
  }

  /// Enters the table at `middle`; gives it back when something is entered there already.
  consuming func install(at middle: MiddleEntry, of table: PageTable) -> SpareTable? {
    guard table.install(leaf: self.table, at: middle) else { return self }
    discard self
    return nil
  }

  /// Hands the table on.
  consuming func release() -> PageTable.Table {
    let table = table
    discard self
    return table
  }
}

extension PageTable {
  /// Sets a huge entry if nothing is entered. Says whether it did.
  func setHuge(_ entry: PageTableEntry, at middle: MiddleEntry) -> Bool {
    lock(of: middle.table).pointee.lock.withLock {
      guard isFree(middle) else { return false }
      middle.pointer.pointee.store(entry.rawValue, ordering: .releasing)
      return true
    }
  }

  /// The same for private memory, which deposits a table for its split. On success `deposit` is `nil`.
  func setHuge(_ entry: PageTableEntry, at middle: MiddleEntry, depositing deposit: inout SpareTable?) -> Bool {
    let metadata = lock(of: middle.table)
    metadata.pointee.lock.lock()
    defer { metadata.pointee.lock.unlock() }
    guard isFree(middle) else { return false }
    #if DEBUG || ModelCheck
      let forgets = memory.switches?.has(.forgetsDeposit) == true
    #else
      let forgets = false
    #endif
    if !forgets, let table = deposit.take() { memory.push(table.release(), on: metadata) }
    middle.pointer.pointee.store(entry.rawValue, ordering: .releasing)
    return true
  }

  private func isFree(_ middle: MiddleEntry) -> Bool {
    #if DEBUG || ModelCheck
      if memory.switches?.has(.skipsMiddleCheck) == true { return true }
    #endif
    return middle.isNone
  }
}

extension TableMemory {
  /// Deposits a table under a middle table's lock. Kernel: `pgtable_trans_huge_deposit`.
  func push(_ table: PageTable.Table, on metadata: UnsafeMutablePointer<Metadata>) {
    self.metadata(of: table).pointee.nextFree.store(
      metadata.pointee.deposits.load(ordering: .relaxed), ordering: .relaxed)
    metadata.pointee.deposits.store(UInt64(number(of: table)) + 1, ordering: .relaxed)
  }

  /// Takes back the table that was deposited last. Kernel: `pgtable_trans_huge_withdraw`.
  func pop(from metadata: UnsafeMutablePointer<Metadata>) -> PageTable.Table? {
    let top = metadata.pointee.deposits.load(ordering: .relaxed)
    guard top != 0 else { return nil }
    let table = table(number: top - 1)
    metadata.pointee.deposits.store(
      self.metadata(of: table).pointee.nextFree.load(ordering: .relaxed), ordering: .relaxed)
    return table
  }

  /// Tables deposited with a middle table. Call it while nothing else runs.
  func deposited(on metadata: UnsafeMutablePointer<Metadata>) -> Int {
    var count = 0
    var next = metadata.pointee.deposits.load(ordering: .relaxed)
    while next != 0 {
      count += 1
      next = self.metadata(of: table(number: next - 1)).pointee.nextFree.load(ordering: .relaxed)
    }
    return count
  }
}
