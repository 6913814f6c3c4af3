import Synchronization

/// # Speculative faults
///
/// A fault that takes no lock on the address space or the area. It reads the number that changes when areas change,
/// copies its area, lets the ordinary stations work on the copy, and compares the number again under the lock of the
/// page's table, before the entry is set. Source: Lespinasse, speculative page faults, 2021; the refined form, in which
/// each area has a number of its own, is Dufour's of 2018.
///
/// Laws
/// 1. Nothing shared is written before the entry's table is locked, except the references and the lock of the folio
///    that goes in. No counter of the fault is shared.
/// 2. All of it happens in one epoch: areas, their files, nodes of the tree and of the cache, and tables that were
///    found stay memory until it ends. Nothing that was found is used after it.
/// 3. The area is used through its copy only, and only once the number has been compared after copying.
/// 4. An attempt waits for no folio's lock, starts no read and allocates no table; a private page is allocated with
///    nothing held. Whoever holds a table's lock waits for nobody's epoch, so that lock may be waited for.
/// 5. Each fault is tried once so. An attempt that gives up has given back what it took and has counted nothing but its
///    reason; it raises no signal. The ordinary fault that follows is a first attempt.
/// 6. What may have gone in already when an attempt gives up (neighbours of the page) is as right as any prefault.
///
/// Why the number is enough. Whoever changes areas makes it odd (or marks the area) first, and then takes the table's
/// lock to take entries out. The attempt compares under the same lock: either it comes first, and its entry is seen and
/// taken out; or it comes second, and sees the number. Truncation changes no number: there the folio's lock, its
/// mapping and the file's size decide, as in every other fault.
///
/// Lock order: folio, table.
extension AddressSpace {
  /// One attempt at the fault without any lock on areas.
  ///
  /// - Returns: whether the access is to be made again; else the fault is still all to be done.
  @inline(__always)
  func speculate(_ page: UInt64, _ access: Access, _ flags: FaultFlags, by task: inout FaultTask) -> Bool {
    let reader = task.enter(epoch, of: epochs)
    task.speculation.attempts &+= 1
    let abort = speculate(page, access, flags, reader)
    reader.exit()
    if let abort {
      task.speculation[abort] &+= 1
      return false
    }
    task.count(major: false)
    return true
  }

  /// - Returns: why it gave up.
  private func speculate(
    _ page: UInt64, _ access: Access, _ flags: FaultFlags, _ reader: EpochDomain.RecordPointer
  ) -> SpeculationAbort? {
    let isPerArea = lockMode == .speculativePerVMA
    let before = isPerArea ? 0 : sequence.pointee.load(ordering: .acquiring)
    if before & 1 != 0 { return .changing }
    guard let area = areas.area(covering: page) else { return .unmapped }
    let speculation: Speculation
    if isPerArea {
      let number = area.changeSequence.pointee.load(ordering: .acquiring)
      // After the area's number: who sees the number of a change that is over sees the change.
      guard number != sequence.pointee.load(ordering: .acquiring) else { return .changing }
      // An area that was taken out while the tree was walked has a number too.
      guard area.pointee.readers.load(ordering: .relaxed) != 0 else { return .unmapped }
      speculation = Speculation(watching: area.changeSequence, number: number)
    } else {
      speculation = Speculation(watching: sequence, number: before)
    }
    #if DEBUG || ModelCheck
      if machine.switches.has(.leavesEpochEarly) { reader.exit() }
      defer { if machine.switches.has(.leavesEpochEarly) { reader.enter() } }
    #endif
    var copy = VMA(copying: area)
    // The copy was made before this look.
    atomicMemoryFence(ordering: .acquiring)
    guard speculation.holds else { return .copyTorn }
    guard page >= copy.start.load(ordering: .relaxed), page < copy.end.load(ordering: .relaxed) else {
      return .unmapped
    }
    return withUnsafeMutablePointer(to: &copy) { attempt(page, access, flags, on: $0, speculation, reader) }
  }

  /// The fault on a copy of its area.
  private func attempt(
    _ page: UInt64, _ access: Access, _ flags: FaultFlags, on area: VMAPointer, _ speculation: Speculation,
    _ reader: EpochDomain.RecordPointer
  ) -> SpeculationAbort? {
    guard permits(area, access, page) else { return .accessRefused }
    if area.isDirect { return .direct }
    if access == .write {
      guard area.flags.isDisjoint(with: [.shared, .mayShare]) else { return .sharedStore }
      if area.privateFamily == 0 { return .firstCopy }
    }
    guard let middle = table.middle(forPage: page), let leaf = middle.leaf else { return .noTable }
    var context = FaultContext(
      space: self, area: area, page: page, flags: flags, middle: middle, arriving: FaultTask.nothing, reader: reader,
      speculation: speculation)
    let result = faultEntry(&context, in: leaf)
    if let abort = context.speculation?.abort { return abort }
    if result.isError { return .outOfMemory }
    if let hits = context.speculation?.hits { area.pointee.readahead?.forgetMisses(hits) }
    return nil
  }
}
