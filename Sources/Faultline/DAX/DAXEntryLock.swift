/// The lock that an entry carries.
extension DirectFile {
  /// What a look for an entry that nobody has locked found.
  private enum Found {
    case nothing
    case unlocked(DAXEntry, index: UInt64)
    /// An entry that is smaller than what was asked for.
    case conflict
  }

  /// What came of taking an entry's lock.
  enum Grabbed {
    case locked(DAXEntry)
    case failed(FaultResult)
  }

  /// The first entry in the piece around `index`, waiting until nobody has it locked. Takes the slot lock, which the caller gives
  /// back. Kernel: `get_next_unlocked_entry`.
  private func lookUpUnlocked(_ index: UInt64, _ size: DirectSize) -> Found {
    cache.pointee.slotLock.lock()
    while true {
      let pages = size.pages(around: index)
      guard let found = slots.first(from: pages.lowerBound, through: pages.upperBound - 1) else { return .nothing }
      let entry = DAXEntry(rawValue: found.entry)
      // Before its lock is looked at: what is too small is not waited for.
      if entry.size.order < size.order { return .conflict }
      guard entry.isLocked else { return .unlocked(entry, index: found.index) }
      let waiter = machine.directWaiters.enqueue(cache, key(found.index, entry), isExclusive: true)
      cache.pointee.slotLock.unlock()
      machine.directWaiters.wait(waiter)
      cache.pointee.slotLock.lock()
    }
  }

  /// Where the waiters for an entry queue up.
  private func key(_ index: UInt64, _ entry: DAXEntry) -> UInt64 {
    #if DEBUG || ModelCheck
      if machine.switches.has(.waitsByUnroundedIndex) { return index }
    #endif
    return entry.size.first(of: index)
  }

  func wake(_ index: UInt64, _ entry: DAXEntry, _ mode: DAXWaiters.Wake) {
    #if DEBUG || ModelCheck
      if machine.switches.has(.wakesOneWaiter) {
        return machine.directWaiters.wake(cache, entry.size.first(of: index), .next)
      }
    #endif
    machine.directWaiters.wake(cache, entry.size.first(of: index), mode)
  }

  /// Locks the entry of a fault, made empty where none is. Kernel: `grab_mapping_entry`.
  func grab(_ index: UInt64, _ size: DirectSize) -> Grabbed {
    var found = lookUpUnlocked(index, size)
    defer { cache.pointee.slotLock.unlock() }
    // Under a page's fault the zeroes of 2 MiB go, and nothing is left of an entry that stood for no block.
    if case .unlocked(let entry, let at) = found, entry.size.order > size.order, !entry.isBlock {
      downgrade(entry, at: at)
      found = .nothing
    }
    switch found {
    case .conflict: return .failed(.fallback)
    case .unlocked(let entry, let at):
      slots.replaceValue(at: at, with: entry.locked.rawValue)
      return .locked(entry)
    case .nothing:
      let entry = DAXEntry.empty(size)
      guard slots.store(entry.locked.rawValue, at: size.first(of: index), order: size.order) else {
        return .failed(.outOfMemory)
      }
      cache.pointee.pageCount.wrappingAdd(size.pageCount, ordering: .relaxed)
      return .locked(entry)
    }
  }

  /// Takes out an entry of 2 MiB that shows zeroes or nothing. The caller holds the slot lock, which is dropped meanwhile.
  private func downgrade(_ entry: DAXEntry, at index: UInt64) {
    if entry.isZero {
      slots.replaceValue(at: index, with: entry.locked.rawValue)
      cache.pointee.slotLock.unlock()
      node.unmap(entry.pages(around: index), includingCopies: false)
      cache.pointee.slotLock.lock()
    }
    remove(entry, at: index)
    wake(index, entry, .all)
  }

  /// Gives an entry's lock back. Kernel: `dax_unlock_entry`.
  func unlock(_ entry: DAXEntry, at index: UInt64) {
    withSlots { slots in
      slots.replaceValue(at: index, with: entry.unlocked.rawValue)
      wake(index, entry, .next)
    }
  }

  /// Locks the block entry that a fault has left before it waited for a commit, and marks it dirty; `nil` when it is gone or has
  /// another size.
  func relock(_ index: UInt64, _ size: DirectSize) -> DAXEntry? {
    let found = lookUpUnlocked(index, size)
    defer { cache.pointee.slotLock.unlock() }
    guard case .unlocked(let entry, let at) = found else { return nil }
    guard entry.size == size else {
      // The turn was this thread's: another may need it.
      wake(at, entry, .next)
      return nil
    }
    markDirty(at)
    slots.replaceValue(at: at, with: entry.locked.rawValue)
    return entry
  }

  /// Locks an entry for writeback if it is still the one that was seen, and takes its mark; `nil` when there is nothing left to do.
  /// Kernel: the first half of `dax_writeback_one`.
  func lockToWrite(_ index: UInt64, seen: DAXEntry) -> DAXEntry? {
    let found = lookUpUnlocked(index, .page)
    defer { cache.pointee.slotLock.unlock() }
    guard case .unlocked(let entry, let at) = found else { return nil }
    // Removed and made anew, or another sync has just written it.
    guard entry.frame == seen.frame, slots.isMarked(at, .toWrite) else {
      wake(at, entry, .next)
      return nil
    }
    slots.setMark(.toWrite, at: at, to: false)
    slots.replaceValue(at: at, with: entry.locked.rawValue)
    return entry
  }

  /// Gives back the lock of an entry whose memory is durable now.
  func unlockWritten(_ entry: DAXEntry, at index: UInt64, isClean: Bool) {
    withSlots { slots in
      slots.replaceValue(at: index, with: entry.unlocked.rawValue)
      if isClean { clearDirty(index) }
      wake(index, entry, .next)
    }
  }

  /// Takes the entries of a range out, each when nobody has it locked. Nothing maps them any more. Kernel:
  /// `dax_delete_mapping_entry`, `dax_invalidate_mapping_entry_sync`.
  ///
  /// - Parameter onlyClean: whether those stay that a sync has still to write.
  func removeEntries(in pages: Range<UInt64>, onlyClean: Bool) {
    var next = pages.lowerBound
    while next < pages.upperBound {
      guard let (index, word) = withSlots({ $0.first(from: next, through: pages.upperBound - 1) }) else { return }
      next = DAXEntry(rawValue: word).pages(around: index).upperBound
      let found = lookUpUnlocked(index, .page)
      defer { cache.pointee.slotLock.unlock() }
      guard case .unlocked(let entry, let at) = found else { continue }
      guard !onlyClean || !slots.isMarked(at, .dirty) && !slots.isMarked(at, .toWrite) else {
        wake(at, entry, .next)
        continue
      }
      remove(entry, at: at)
      wake(at, entry, .all)
    }
  }
}
