/// Making one huge folio out of the single pages of a file that lives in memory.
///
/// Laws
/// 1. The old folios are all locked, unmapped and frozen before a slot changes: nobody holds one, nobody can get one.
/// 2. The slots change in one step under the cache's lock, from the old folios to the new one: no reader sees a hole.
/// 3. What fails before that step leaves everything as it was, but unmapped.
///
/// Lock order: the folios in the order of their pages, then the slot lock. Source: kernel 6.18 `collapse_file`.

/// Why a range was not collapsed.
enum CollapseFailure {
  /// Nothing in it to collapse, or not of this kind of memory.
  case unsuitable
  /// Somebody holds a page of it.
  case busy
  case outOfMemory

  /// What madvise(2) says of it. Kernel: `madvise_collapse_errno`.
  var error: KernelError {
    switch self {
    case .unsuitable: KernelError(.EINVAL, "MADV_COLLAPSE of memory that cannot be huge")
    case .busy: KernelError(.EAGAIN, "MADV_COLLAPSE of pages that are in use")
    case .outOfMemory: KernelError(.ENOMEM, "no memory for a huge page")
    }
  }
}

extension FileNode {
  /// Replaces the folios of the 512 pages from `index`, a multiple of 512, by one; holes become zeroes.
  ///
  /// - Returns: why it could not; `nil` when it is one folio now, or was before.
  func collapse(at index: UInt64) -> CollapseFailure? {
    guard traits.isMemoryOnly else { return .unsuitable }
    if let whole = lookUp(index), whole.folio.order == PhysicalMemory.pmdOrder { return nil }
    guard let new = machine.memory.allocateZeroed(order: PhysicalMemory.pmdOrder) else { return .outOfMemory }
    let reference = FolioReference(owning: new, memory: machine.memory)
    new.lock()
    defer { new.unlock() }
    cache.pointee.contentLock.lockExclusive()
    defer { cache.pointee.contentLock.unlockExclusive() }
    var old = FrozenFolios(memory: machine.memory)
    var next = index
    let end = index + PageSize.entriesPerTable
    while next < end, let found = withSlots({ $0.first(from: next, through: end - 1) }) {
      next = found.index + 1
      guard let reference = lookUp(found.index) else { continue }
      let folio = reference.folio
      next = folio.endIndex
      folio.lock()
      if folio.lies(in: cache), folio.isMapped { unmap(folio.index..<folio.endIndex, includingCopies: false) }
      guard folio.lies(in: cache), !folio.hasPoison, folio.freeze(1 + folio.pageCount) else {
        folio.unlock()
        return .busy
      }
      old.take(reference.release())
    }
    guard !old.folios.isEmpty else { return .unsuitable }
    for folio in old.folios { machine.memory.copy(folio, into: new, from: index) }
    return exchange(old, for: reference, at: index)
  }

  private func exchange(
    _ old: consuming FrozenFolios, for reference: borrowing FolioReference, at index: UInt64
  ) -> CollapseFailure? {
    let new = reference.folio
    new.head.pointee.index.store(index, ordering: .relaxed)
    new.head.pointee.mapping.store(UInt64(UInt(bitPattern: cache)), ordering: .relaxed)
    new.insert(.uptodate)
    new.get(new.pageCount)
    let isDirty = old.folios.contains { $0.contains(.dirty) }
    let isDone = cache.pointee.slotLock.withLock {
      // A page that was made in a hole meanwhile would be lost.
      guard old.areAll(of: slots, in: index..<index + new.pageCount) else { return false }
      return slots.replace(with: UInt64(UInt(bitPattern: new.head)), at: index, order: new.order)
    }
    guard isDone else {
      new.head.pointee.mapping.store(0, ordering: .relaxed)
      new.put(new.pageCount, to: machine.memory)
      return .busy
    }
    if isDirty { markDirty(new) }
    cache.pointee.pageCount.wrappingAdd(new.pageCount &- old.pageCount, ordering: .relaxed)
    old.free()
    return nil
  }
}

/// Folios that were looked up, locked and frozen; their end gives all of it back.
private struct FrozenFolios: ~Copyable {
  private(set) var folios: [Folio] = []
  private let memory: Unmanaged<PhysicalMemory>

  init(memory: PhysicalMemory) { self.memory = Unmanaged.passUnretained(memory) }

  var pageCount: UInt64 { folios.reduce(0) { $0 + $1.pageCount } }

  mutating func take(_ folio: Folio) { folios.append(folio) }

  /// Whether the slots hold these folios and no others.
  func areAll(of slots: XArray, in pages: Range<UInt64>) -> Bool {
    var expected = folios.makeIterator()
    var index = pages.lowerBound
    while index < pages.upperBound, let found = slots.first(from: index, through: pages.upperBound - 1) {
      if let folio = XArray.folio(found.entry) {
        guard folio == expected.next() else { return false }
        index = folio.endIndex
      } else {
        index = found.index + 1
      }
    }
    return expected.next() == nil
  }

  /// They have left the cache: what is left is the reference of whoever found them.
  consuming func free() {
    for folio in folios {
      folio.remove(.dirty)
      folio.head.pointee.mapping.store(0, ordering: .relaxed)
      release(folio, references: 1)
    }
    folios = []
  }

  private func release(_ folio: Folio, references: UInt64) {
    folio.unfreeze(references)
    folio.unlock()
    memory._withUnsafeGuaranteedRef { folio.put(to: $0) }
  }

  deinit { for folio in folios { release(folio, references: 1 + folio.pageCount) } }
}

extension PhysicalMemory {
  /// Copies a folio's contents to their place in a larger one whose first page is `index`.
  fileprivate func copy(_ folio: Folio, into new: Folio, from index: UInt64) {
    for page in folio.index..<folio.endIndex {
      copyPage(from: folio.frame(forPage: page), to: new.head + Int(page - index))
    }
  }
}
