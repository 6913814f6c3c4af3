/// Which lock a fault holds while it works.
public enum LockMode: Sendable, CaseIterable {
  /// The address space's reader/writer lock: whoever changes one area stops all faults. Kernel: `mmap_lock`, before 6.4.
  case mmapLock
  /// The area's own lock, found without any other; what cannot be served so goes on under the address space's lock.
  /// Kernel: `CONFIG_PER_VMA_LOCK`, for files since 6.7.
  case perVMA
}

/// # The lock of an area
///
/// Readers are faults; writers hold the address space's lock exclusively. An area is write-locked while its sequence number is
/// the address space's, so that one increment at the end of a change unlocks all areas that it marked.
/// Kernel: `vma_start_read`, `vma_start_write` (6.15 and later).
///
/// The word counts: 0 detached, 1 attached and nobody reads, 1 more for each reader; `writerWaits` on top keeps new readers
/// out while a writer waits for the others.
extension VMAPointer {
  private static var writerWaits: UInt64 { 1 << 40 }

  /// Locks the area for a fault without waiting. The caller is in an epoch, and looks afterwards whether the area still covers
  /// what it is after.
  ///
  /// - Returns: `false` when somebody changes the area or it is gone.
  func tryLockForFault(sequence: borrowing AtomicWord) -> Bool {
    if pointee.changeSequence.load(ordering: .relaxed) == sequence.load(ordering: .relaxed) { return false }
    var seen = pointee.readers.load(ordering: .relaxed)
    while true {
      guard seen != 0, seen < Self.writerWaits else { return false }
      let (exchanged, now) = pointee.readers.weakCompareExchange(
        expected: seen, desired: seen + 1, successOrdering: .acquiring, failureOrdering: .relaxed)
      if exchanged { break }
      seen = now
    }
    #if DEBUG || ModelCheck
      let skipsCheck = pointee.space._withUnsafeGuaranteedRef { $0.machine.switches.has(.skipsSequenceCheck) }
      if skipsCheck { return true }
    #endif
    // A writer may have come and gone between the look and the count: it left its number.
    if pointee.changeSequence.load(ordering: .acquiring) == sequence.load(ordering: .acquiring) {
      unlockForFault()
      return false
    }
    return true
  }

  @inline(__always)
  func unlockForFault() {
    pointee.readers.wrappingSubtract(1, ordering: .releasing)
  }

  /// Keeps faults out of the area until the address space's lock is given up. Its caller holds that exclusively.
  func lockForChange(sequence: borrowing AtomicWord) {
    let number = sequence.load(ordering: .relaxed)
    if pointee.changeSequence.load(ordering: .relaxed) == number { return }
    pointee.readers.wrappingAdd(Self.writerWaits, ordering: .acquiring)
    while pointee.readers.load(ordering: .acquiring) != Self.writerWaits + 1 { spinHint(on: pointee.readers) }
    pointee.changeSequence.store(number, ordering: .releasing)
    pointee.readers.wrappingSubtract(Self.writerWaits, ordering: .releasing)
  }

  /// Says that the area is no part of its address space any more, and waits for readers that only had a look. It is locked
  /// for change.
  func detach() {
    pointee.readers.wrappingSubtract(1, ordering: .acquiringAndReleasing)
    while pointee.readers.load(ordering: .acquiring) != 0 { spinHint(on: pointee.readers) }
  }
}

extension AddressSpace {
  /// Begins a change of areas: nobody else changes any, and faults stay out of those that are marked.
  func lockForChange() { lock.lockExclusive() }

  /// Ends a change: unlocks every area that it marked, and frees what readers have left.
  func unlockAfterChange() {
    sequence.wrappingAdd(1, ordering: .releasing)
    lock.unlockExclusive()
    epochs.collectIfDue()
  }

  /// Keeps faults out of an area that is about to change.
  func mark(_ area: VMAPointer) { area.lockForChange(sequence: sequence) }

  /// Gives the area that covers a page other flags.
  func setFlags(_ flags: VMAFlags, ofAreaCovering page: UInt64) {
    guard let area = areas.area(covering: page) else { return }
    mark(area)
    area.setFlags(flags)
  }

  /// Gives up an area that is in no tree and no list any more. Its memory stays until no reader can be looking at it.
  func retire(_ area: VMAPointer) {
    area.detach()
    area.pointee.file?.release()
    epochs.retire { area.destroy() }
  }
}
