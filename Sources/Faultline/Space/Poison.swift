/// Memory that failed: its frame is taken out of use, and whoever would miss what was in it is told at the next access.
/// Kernel: `memory_failure`.

/// What became of a page whose memory failed.
public enum PoisonOutcome: Sendable, Hashable {
  /// Nothing was in that memory.
  case unused
  /// It had failed before.
  case known
  /// What it held can be read again; nobody is told.
  case dropped
  /// What it held is nowhere else: every program that had it mapped gets ``Signal/bus(_:)`` with `mceErrAR` when it touches
  /// it again.
  case lost
}

extension FileNode {
  /// The memory of a cached page fails. Any thread may call it.
  ///
  /// A clean page goes and is read again by whoever needs it. A dirty one goes too: its entries become markers, and the next
  /// writeback reports the loss once. A file that lives in memory keeps the page, so that nobody takes its place for a hole:
  /// accesses end in a signal, reads and writes in `EIO`, until the page is truncated away. A folio of several pages fails as
  /// one.
  @discardableResult
  public func poison(page: UInt64) -> PoisonOutcome {
    guard let reference = lookUp(page) else { return .unused }
    let folio = reference.folio
    folio.lock()
    defer { folio.unlock() }
    guard folio.lies(in: cache) else { return .unused }
    guard folio.insert(.poisoned) else { return .known }
    machine.retire(folio)
    guard traits.isMemoryOnly || isDirty(folio) else {
      if folio.isMapped { unmap(folio.index..<folio.endIndex, includingCopies: false) }
      remove(folio)
      return .dropped
    }
    forEachArea { area in
      area.forEachEntry(of: folio.index..<folio.endIndex) { machine.markLost($0, of: area.pointee.table, in: folio) }
    }
    if !traits.isMemoryOnly {
      folio.remove(.dirty)
      remove(folio)
      lostPage.store(page, ordering: .releasing)
    }
    return .lost
  }

  private func isDirty(_ folio: Folio) -> Bool {
    var isDirty = folio.contains(.dirty)
    forEachArea { area in
      area.forEachEntry(of: folio.index..<folio.endIndex) { pointer in
        let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
        guard entry.isPresent, !entry.isSpecial else { return }
        if Folio(of: machine.memory.frame(entry.frame)) == folio, entry.isDirty { isDirty = true }
      }
    }
    return isDirty
  }
}

extension AddressSpace {
  /// The memory under an address fails: the file's page, or private memory of this and of every address space that shares it.
  /// The zero page does not fail.
  @discardableResult
  public func poison(_ address: VirtualAddress) -> PoisonOutcome {
    guard let folio = heldFolio(at: address.page) else { return .unused }
    defer { folio.put(to: machine.memory) }
    folio.lock()
    let file = folio.file
    folio.unlock()
    if let file { return file.poison(page: folio.index) }
    guard folio.isPrivate else { return .unused }
    guard folio.insert(.poisoned) else { return .known }
    machine.retire(folio)
    // Private memory has no way back to its entries: all are looked at.
    for space in machine.census.allSpaces {
      space.table.forEachEntry(in: 0..<VirtualAddress.end.page) { machine.markLost($1, of: space.table, in: folio) }
    }
    return .lost
  }

  private func heldFolio(at page: UInt64) -> Folio? {
    let held = table.withEntry(ofPage: page) { pointer -> Folio? in
      let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
      guard entry.isPresent, !entry.isSpecial else { return nil }
      let folio = Folio(of: machine.memory.frame(entry.frame))
      folio.get()
      return folio
    }
    return held ?? nil
  }
}

extension Machine {
  /// Frames that are out of use for good.
  public var poisonedFrames: UInt64 { UInt64(retired.frames.count) }

  /// Replaces an entry that maps `folio` by a marker. The caller holds the table's lock.
  fileprivate func markLost(_ pointer: WordPointer, of table: PageTable, in folio: Folio) {
    let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
    guard entry.isPresent, !entry.isSpecial, Folio(of: memory.frame(entry.frame)) == folio else { return }
    pointer.pointee.store(PageTableEntry.poisonMarker.rawValue, ordering: .releasing)
    giveUp(entry, of: table)
  }

  /// Keeps a folio from ever being handed out again, by a reference that nobody gives back.
  fileprivate func retire(_ folio: Folio) {
    folio.get()
    retired.add(memory.number(of: folio.head).rawValue, count: folio.pageCount)
  }
}

/// The frames that failed, by number. Any thread may use it.
///
/// `@unchecked Sendable`: the list is guarded by `lock`.
final class RetiredFrames: @unchecked Sendable {
  private let lock = SpinLock()
  private var numbers: [UInt64] = []

  func add(_ first: UInt64, count: UInt64) {
    lock.withLock { numbers += first..<first + count }
  }

  var frames: [UInt64] { lock.withLock { numbers } }
}
