import Synchronization

/// Which lock a fault holds while it works.
public enum LockMode: String, Sendable, CaseIterable {
  /// The address space's reader/writer lock: whoever changes one area stops all faults. Kernel: `mmap_lock`, before
  /// 6.4.
  case mmapLock
  /// The area's own lock, found without any other; what cannot be served so goes on under the address space's lock.
  /// Kernel: `CONFIG_PER_VMA_LOCK`, for files since 6.7.
  case perVMA
  /// None: a fault works on a copy of its area, and looks under its table's lock whether anything in the address space
  /// has changed meanwhile. What cannot be served so, or has changed, goes on under the address space's lock.
  /// Source: the speculative page faults of 2021 (`CONFIG_SPECULATIVE_PAGE_FAULT`), which no kernel took.
  case speculative
  /// The same, but only a change of the fault's own area counts.
  case speculativePerVMA

  /// Whether faults begin without a lock.
  @inline(__always)
  var isSpeculative: Bool { self == .speculative || self == .speculativePerVMA }
}

/// # The lock of an area
///
/// Readers are faults; writers hold the address space's lock exclusively. An area is write-locked while its own number
/// is the address space's, so that one increment at the end of a change unlocks all areas that it marked. Marks are
/// odd, and so never the 0 of an area that nobody has marked yet, not even once the numbers have wrapped. Kernel:
/// `vma_start_read`, `vma_start_write` (6.15 and later).
///
/// A speculative fault takes none of it: it compares these numbers before and after (`Fault/FaultSpeculative.swift`).
///
/// The word counts: 0 detached, 1 attached and nobody reads, 1 more for each reader; `writerWaits` on top keeps new
/// readers out while a writer waits for the others.
extension VMAPointer {
  private static var writerWaits: UInt64 { 1 << 40 }

  /// Locks the area for a fault without waiting. The caller is in an epoch, and looks afterwards whether the area still
  /// covers what it is after.
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

  /// The area's number, for a fault that watches it while it works on a copy.
  @inline(__always)
  var changeSequence: WordPointer { UnsafeMutableRawPointer(self).assumingMemoryBound(to: AtomicWord.self) }

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
    // Who copies the area without this lock, and sees anything of the change, sees its number as well.
    atomicMemoryFence(ordering: .releasing)
    pointee.readers.wrappingSubtract(Self.writerWaits, ordering: .releasing)
  }

  /// Says that the area is no part of its address space any more, and waits for readers that only had a look. It is
  /// locked for change.
  func detach() {
    pointee.readers.wrappingSubtract(1, ordering: .acquiringAndReleasing)
    while pointee.readers.load(ordering: .acquiring) != 0 { spinHint(on: pointee.readers) }
  }
}

extension AddressSpace {
  /// Whether faults ask for the address space's number to learn that somebody changes areas. Then it is odd only
  /// meanwhile; elsewhere it always is.
  @inline(__always)
  private var isSequenceWatched: Bool { lockMode == .speculative }

  /// Begins a change of areas: nobody else changes any, and faults stay out of those that are marked.
  func lockForChange() {
    lock.lockExclusive()
    // Every fault that asks for an area's own number reads this one too: each write takes its line away from them all.
    guard isSequenceWatched else { return }
    sequence.pointee.wrappingAdd(1, ordering: .relaxed)
    // As in the area's own mark: the number first, then what changes.
    atomicMemoryFence(ordering: .releasing)
  }

  /// Ends a change: unlocks every area that it marked, and frees what readers have left.
  func unlockAfterChange() {
    sequence.pointee.wrappingAdd(isSequenceWatched ? 1 : 2, ordering: .releasing)
    lock.unlockExclusive()
    epochs.collectIfDue()
  }

  /// Keeps faults out of an area that is about to change.
  func mark(_ area: VMAPointer) { area.lockForChange(sequence: sequence.pointee) }

  /// Gives the area that covers a page other flags.
  func setFlags(_ flags: VMAFlags, ofAreaCovering page: UInt64) {
    guard let area = areas.area(covering: page) else { return }
    mark(area)
    area.setFlags(flags)
  }

  /// Gives up an area that is in no tree and no list any more. Its memory stays until no reader can be looking at it.
  ///
  /// So does its file where faults use it without a lock.
  func retire(_ area: VMAPointer) {
    area.detach()
    let file = area.pointee.file
    guard lockMode.isSpeculative, let file else {
      file?.release()
      return epochs.retire { area.destroy() }
    }
    epochs.retire {
      file.release()
      area.destroy()
    }
  }
}
