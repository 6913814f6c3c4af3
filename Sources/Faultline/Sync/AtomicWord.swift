/// # Sync
///
/// The only folder that knows about threads. Every word that two threads of the engine may touch, page-table entries and
/// cache slots included, is an ``AtomicWord``; every lock is built from one here.
///
/// Laws
/// 1. Nothing outside this folder imports `Synchronization`, spins, fences or sleeps.
/// 2. A shared word is eight bytes in every build, so layouts in raw memory do not depend on the trait.
/// 3. Without the trait `ModelCheck` an ``AtomicWord`` *is* the standard library's atomic: the indirection costs nothing.
///    With it, every operation first announces itself through ``SchedulePoint``.
///
/// This folder calls nothing of the engine.
import Synchronization

#if ModelCheck

  /// A shared 64-bit word whose every operation is a scheduling point of the interleaving explorer.
  ///
  /// The explorer covers sequential consistency, so the orderings that callers name are taken but not weakened.
  public struct AtomicWord: ~Copyable, Sendable {
    let cell: Atomic<UInt64>

    public init(_ value: UInt64) { cell = Atomic(value) }

    public borrowing func load(ordering: AtomicLoadOrdering) -> UInt64 {
      SchedulePoint.reached(.load, self)
      return cell.load(ordering: .sequentiallyConsistent)
    }

    public borrowing func store(_ value: UInt64, ordering: AtomicStoreOrdering) {
      SchedulePoint.reached(.store, self)
      SchedulePoint.changed(from: cell.exchange(value, ordering: .sequentiallyConsistent), to: value)
    }

    public borrowing func exchange(_ value: UInt64, ordering: AtomicUpdateOrdering) -> UInt64 {
      SchedulePoint.reached(.update, self)
      let old = cell.exchange(value, ordering: .sequentiallyConsistent)
      SchedulePoint.changed(from: old, to: value)
      return old
    }

    public borrowing func compareExchange(
      expected: UInt64, desired: UInt64, successOrdering: AtomicUpdateOrdering, failureOrdering: AtomicLoadOrdering
    ) -> (exchanged: Bool, original: UInt64) {
      SchedulePoint.reached(.update, self)
      let result = cell.compareExchange(expected: expected, desired: desired, ordering: .sequentiallyConsistent)
      if result.exchanged { SchedulePoint.changed(from: expected, to: desired) }
      return result
    }

    /// Never fails spuriously here: a schedule must replay.
    public borrowing func weakCompareExchange(
      expected: UInt64, desired: UInt64, successOrdering: AtomicUpdateOrdering, failureOrdering: AtomicLoadOrdering
    ) -> (exchanged: Bool, original: UInt64) {
      compareExchange(
        expected: expected, desired: desired, successOrdering: successOrdering, failureOrdering: failureOrdering)
    }

    @discardableResult
    public borrowing func wrappingAdd(
      _ operand: UInt64, ordering: AtomicUpdateOrdering
    ) -> (oldValue: UInt64, newValue: UInt64) {
      SchedulePoint.reached(.update, self)
      return Self.told(cell.wrappingAdd(operand, ordering: .sequentiallyConsistent))
    }

    @discardableResult
    public borrowing func wrappingSubtract(
      _ operand: UInt64, ordering: AtomicUpdateOrdering
    ) -> (oldValue: UInt64, newValue: UInt64) {
      SchedulePoint.reached(.update, self)
      return Self.told(cell.wrappingSubtract(operand, ordering: .sequentiallyConsistent))
    }

    @discardableResult
    public borrowing func bitwiseOr(
      _ operand: UInt64, ordering: AtomicUpdateOrdering
    ) -> (oldValue: UInt64, newValue: UInt64) {
      SchedulePoint.reached(.update, self)
      return Self.told(cell.bitwiseOr(operand, ordering: .sequentiallyConsistent))
    }

    @discardableResult
    public borrowing func bitwiseAnd(
      _ operand: UInt64, ordering: AtomicUpdateOrdering
    ) -> (oldValue: UInt64, newValue: UInt64) {
      SchedulePoint.reached(.update, self)
      return Self.told(cell.bitwiseAnd(operand, ordering: .sequentiallyConsistent))
    }

    private static func told(
      _ result: (oldValue: UInt64, newValue: UInt64)
    ) -> (oldValue: UInt64, newValue: UInt64) {
      SchedulePoint.changed(from: result.oldValue, to: result.newValue)
      return result
    }
  }

#else

  /// A shared 64-bit word. See ``SchedulePoint`` for what the trait `ModelCheck` makes of it.
  public typealias AtomicWord = Atomic<UInt64>

#endif

/// A pointer to a shared word in raw memory: a page-table entry, a cache slot, a field of a frame.
public typealias WordPointer = UnsafeMutablePointer<AtomicWord>
