/// A program's memory: its areas and the page table that makes them accessible. Kernel: `struct mm_struct`.
///
/// Any thread may use it. Calls that change areas exclude each other and all faults; faults run side by side.
///
/// `@unchecked Sendable`: the table, the counts and the lock are shared words; the tree of areas is written under
/// `lock`.
public final class AddressSpace: @unchecked Sendable {
  public let machine: Machine
  public let lockMode: LockMode
  let table: PageTable
  /// Parts of the machine, at hand for every fault: an object that is reached through another one is counted on the
  /// way, by all threads in one word.
  let memory: PhysicalMemory
  let nodes: XArrayMemory
  let events: EventLog
  let epochs: EpochDomain
  /// The machine's epoch.
  let epoch: WordPointer
  // Whoever changes areas writes what follows. Only the sequence and the tree are read by a fault under an area's own lock.
  private let gapBeforeLock = CacheLines.Gap()
  /// Kernel: `mmap_lock`.
  let lock = ReadWriteLock()
  private let gapBehindLock = CacheLines.Gap()
  /// Grows with every change of areas: what a change marks its areas with, and in ``LockMode/speculative`` what faults
  /// watch. In memory of its own, where faults without a lock point to it. Kernel: `mm_lock_seq`.
  let sequence: WordPointer
  let areas: VMATree
  private let gapBehindAreas = CacheLines.Gap()
  /// The last number given to a family of private copies.
  let nextFamily = AtomicWord(0)
  /// Odd while a fork copies entries and makes them read-only. Kernel: `write_protect_seq`.
  let copySequence = AtomicWord(0)
  /// 1 once a page was pinned here. Kernel: `MMF_HAS_PINNED`.
  let hasPinned = AtomicWord(0)

  /// - Throws: `ENOMEM` when there is no memory for the root table.
  public convenience init(machine: Machine, lockMode: LockMode = .mmapLock) throws(KernelError) {
    try self.init(machine: machine, lockMode: lockMode, firstSequence: 2)
  }

  /// - Parameter firstSequence: the number of the state before the first change, even; the odd one above it where no
  ///   fault watches it.
  package init(machine: Machine, lockMode: LockMode, firstSequence: UInt64) throws(KernelError) {
    self.machine = machine
    self.lockMode = lockMode
    memory = machine.memory
    nodes = machine.nodes
    events = machine.events
    epochs = machine.epochs
    areas = VMATree(epochs: machine.epochs)
    epoch = machine.epochs.epoch
    sequence = Self.makeSequence(lockMode == .speculative ? firstSequence : firstSequence | 1)
    table = try PageTable(memory: machine.tables)
    machine.census.add(self)
  }

  deinit {
    machine.census.remove(self)
    areas.forEach { area in
      unmap(area.pages)
      area.file?.node.remove(area)
      area.pointee.file?.release()
      area.destroy()
    }
    table.destroy()
    sequence.deinitialize(count: 1)
    sequence.deallocate()
    // Files that wait for readers hold the machine, which would free them at its own end.
    if lockMode.isSpeculative { epochs.collect() }
  }

  private static func makeSequence(_ number: UInt64) -> WordPointer {
    let word = CacheLines.allocate(for: AtomicWord.self)
    word.initialize(to: AtomicWord(number))
    return word
  }

  // MARK: Counts of entered pages. Kernel: `mm_counter`

  /// Entered pages of files. Kernel: `MM_FILEPAGES` and `MM_SHMEMPAGES`.
  public var mappedFilePages: UInt64 { table.state.pointee.filePages.sum }

  /// Entered pages of private memory. Kernel: `MM_ANONPAGES`.
  public var mappedPrivatePages: UInt64 { table.state.pointee.privatePages.sum }

  /// Entered pages of files, and of devices as a whole, that are mapped 2 MiB or 1 GiB at once.
  public var mappedHugeFilePages: UInt64 { table.state.pointee.hugeFilePages.load(ordering: .relaxed) }

  func countHugeFilePages(_ pages: UInt64) { table.state.pointee.hugeFilePages.wrappingAdd(pages, ordering: .relaxed) }

  func uncountHugeFilePages(_ pages: UInt64) {
    table.state.pointee.hugeFilePages.wrappingSubtract(pages, ordering: .relaxed)
  }

  @inline(__always)
  func countFilePages(_ pages: UInt64) { table.state.pointee.filePages.add(pages) }

  func uncountFilePages(_ pages: UInt64) { table.state.pointee.filePages.subtract(pages) }

  func countPrivatePages(_ pages: UInt64) { table.state.pointee.privatePages.add(pages) }

  func uncountPrivatePages(_ pages: UInt64) {
    table.state.pointee.privatePages.subtract(pages)
  }

  // MARK: Accesses

  /// One access of the program at `address`, as the processor would make it: goes through the page table, faults where
  /// it must, and marks the entry accessed or dirty.
  ///
  /// - Returns: the signal the access ends in, or `nil` when it went through.
  @inline(__always)
  public func access(_ address: VirtualAddress, _ access: Access, by task: inout FaultTask) -> Signal? {
    self.access(address, access, from: .program, by: &task)
  }

  @inline(__always)
  func access(
    _ address: VirtualAddress, _ access: Access, from origin: AccessOrigin, by task: inout FaultTask
  ) -> Signal? {
    if translate(address.page, .of(access), by: &task) { return nil }
    return accessSlowly(address, access, from: origin, by: &task)
  }

  /// What the processor does on its own: walks the tables, which nobody frees meanwhile, and marks the entry if it lets
  /// the access through. The marks go in only if the entry is still what was seen: one that was just taken out must
  /// stay so.
  @inline(__always)
  private func translate(_ page: UInt64, _ demand: PageTableEntry.Demand, by task: inout FaultTask) -> Bool {
    let record = task.enter(epoch, of: epochs)
    defer { record.exit() }
    guard let (entry, found) = table.entry(forPage: page) else { return false }
    var seen = found
    while seen & demand.mask == demand.value {
      if seen & demand.marks == demand.marks { return true }
      let (exchanged, now) = entry.pointee.weakCompareExchange(
        expected: seen, desired: seen | demand.marks, successOrdering: .relaxed, failureOrdering: .relaxed)
      if exchanged { return true }
      // A table may stand where 2 MiB were mapped: that is no entry to mark.
      if (now ^ found) & PageTableEntry.hugeBit != 0 { return false }
      seen = now
    }
    return false
  }

  /// Faults, then makes the access again, as often as it takes.
  @inline(never)
  private func accessSlowly(
    _ address: VirtualAddress, _ access: Access, from origin: AccessOrigin, by task: inout FaultTask
  ) -> Signal? {
    guard address < .end else { return .segv(.mapErr) }
    repeat {
      if let signal = resolve(address.page, access, from: origin, by: &task) { return signal }
    } while !translate(address.page, .of(access), by: &task)
    return nil
  }

  /// The entry of a page as it is now; of a huge one, what it says of this page. Kernel: what `/proc/PID/pagemap`
  /// shows.
  public func entry(ofPage page: UInt64) -> PageTableEntry {
    guard let found = table.entry(forPage: page) else { return .none }
    return PageTableEntry(rawValue: found.seen).single(page)
  }
}
