import CLinux
import Synchronization

/// Epochs: what a reader without locks can reach is not freed until it has left. Kernel: RCU.
///
/// A reader says that it is inside, and since which epoch. A writer that takes something out of every reader's reach
/// hands it over with ``retire(_:)``; it is freed once the epoch has advanced twice, for then every reader that could
/// have seen it has left. The epoch advances only when all readers that are inside have seen the present one.
///
/// Readers pay one store on the way in and one on the way out. The fence that their way in needs is paid by the writer,
/// who makes every thread of the process pass one (membarrier); where the kernel has none, readers fence for
/// themselves. Source: Fraser, Practical lock-freedom, 2004; the asymmetric fence as in userspace RCU.
///
/// `@unchecked Sendable`: records are shared words in memory that is freed with the domain; the rest is guarded by
/// `lock`.
public final class EpochDomain: @unchecked Sendable {
  /// A reader's place: what it says about itself.
  struct Record: ~Copyable {
    /// 0 outside; inside, the epoch it came in at, times 2, plus 1.
    let state: AtomicWord
    /// How often its thread is inside. Only that thread touches it, and nobody else's access to the record covers it.
    let depth: UnsafeMutablePointer<Int>
    let isTaken: AtomicWord
    let number: Int
    /// The domain's epoch, and whether readers fence for themselves: here, so that the way in touches no object.
    let epoch: WordPointer
    let fencesItself: Bool
  }

  typealias RecordPointer = UnsafeMutablePointer<Record>

  /// Who pays for the order of a reader's way in.
  public enum Fence: Sendable {
    /// The writer, by membarrier(2).
    case asymmetric
    /// Every reader.
    case full
  }

  /// Things retired before somebody waits for readers. Kernel: what `call_rcu` may queue.
  static let pendingLimit = 1024
  #if ModelCheck
    /// Frees at the first occasion, so that an exploration sees it happen. Set it while no other thread runs.
    nonisolated(unsafe) package static var isEager = false
  #endif
  /// Looks at a reader that does not leave before it is called stalled.
  static let patience = 1_000_000

  public let fence: Fence
  /// In memory of its own, where records point to it.
  let epoch: WordPointer
  private let lock = SpinLock()
  private var records: [RecordPointer] = []
  private var retired: [(epoch: UInt64, free: () -> Void)] = []
  private let pending = AtomicWord(0)

  public init(fence: Fence = .asymmetric) {
    self.fence = fence == .asymmetric && cl_membarrier_register() == 0 ? .asymmetric : .full
    epoch = CacheLines.allocate(for: AtomicWord.self)
    epoch.initialize(to: AtomicWord(2))
  }

  deinit {
    for item in retired { item.free() }
    for record in records {
      record.pointee.depth.deallocate()
      record.deinitialize(count: 1)
      record.deallocate()
    }
    epoch.deinitialize(count: 1)
    epoch.deallocate()
  }

  // MARK: Readers

  /// A record for a thread, free ones first.
  func register() -> RecordPointer {
    lock.lock()
    defer { lock.unlock() }
    for record in records
    where record.pointee.isTaken.compareExchange(
      expected: 0, desired: 1, successOrdering: .acquiring, failureOrdering: .relaxed
    ).exchanged {
      return record
    }
    let record = CacheLines.allocate(for: Record.self)
    let depth = CacheLines.allocate(for: Int.self)
    depth.initialize(to: 0)
    record.initialize(
      to: Record(
        state: AtomicWord(0), depth: depth, isTaken: AtomicWord(1), number: records.count, epoch: epoch,
        fencesItself: fence == .full))
    records.append(record)
    return record
  }

  func unregister(_ record: RecordPointer) {
    record.pointee.state.store(0, ordering: .releasing)
    let depth = record.pointee.depth
    depth.pointee = 0
    record.pointee.isTaken.store(0, ordering: .releasing)
  }

  // MARK: Writers

  /// Frees something once no reader can be looking at it. Any lock may be held: nothing is freed here.
  ///
  /// - Parameter free: runs on some thread that calls ``collect()``, holding no lock.
  func retire(_ free: @escaping () -> Void) {
    // Out of reach first, then the look at the epoch: a reader of the one that is noted, or of an older one, may still see
    // it, a reader of a newer one never.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    lock.lock()
    retired.append((epoch.pointee.load(ordering: .relaxed), free))
    lock.unlock()
    pending.wrappingAdd(1, ordering: .relaxed)
  }

  /// Things that wait to be freed.
  public var pendingCount: Int { Int(pending.load(ordering: .relaxed)) }

  /// Frees what can be freed when much is waiting. The caller holds no lock and is in no epoch.
  ///
  /// - Parameter mayLook: `false` for who has retired nothing and was quick: it does not even look, for whoever retires
  ///   something writes the count.
  @inline(__always)
  func collectIfDue(mayLook: Bool = true) {
    #if ModelCheck
      if Self.isEager, pending.load(ordering: .relaxed) > 0 { return collect() }
    #endif
    if mayLook, pending.load(ordering: .relaxed) >= UInt64(Self.pendingLimit) { collect() }
  }

  /// Advances the epoch as far as readers let it, and frees what they can no longer see. The caller holds no lock and
  /// is in no epoch.
  func collect() {
    _ = tryAdvance()
    _ = tryAdvance()
    free(retiredBefore: epoch.pointee.load(ordering: .acquiring) &- 1)
  }

  /// Waits until everything that was retired so far is free.
  ///
  /// - Throws: ``Stalled`` naming a reader that does not leave.
  func drain() throws(Stalled) { free(retiredBefore: try waitForReaders() &- 1) }

  /// Waits until every reader that is inside now has left: what was out of reach before can be seen by none any more.
  /// The caller holds no lock and is in no epoch. Kernel: `synchronize_rcu`.
  ///
  /// - Returns: the epoch that has been reached.
  /// - Throws: ``Stalled`` naming a reader that does not leave.
  @discardableResult
  func waitForReaders() throws(Stalled) -> UInt64 {
    // Out of reach first, then the look at the epoch: as in `retire`.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    let target = epoch.pointee.load(ordering: .acquiring) &+ 2
    var looks = 0
    while epoch.pointee.load(ordering: .acquiring) < target {
      guard let late = tryAdvance() else { continue }
      looks += 1
      if looks > Self.patience { throw Stalled(record: late.pointee.number) }
      spinHint(on: late.pointee.state)
    }
    return target
  }

  /// A reader that keeps the epoch from advancing.
  public struct Stalled: Error, CustomStringConvertible, Sendable {
    /// The reader's number, in the order of registration.
    public let record: Int

    public var description: String { "reader \(record) has not left its epoch: what it might see cannot be freed" }
  }

  /// One step, if every reader inside has seen the present epoch; else one that has not.
  private func tryAdvance() -> RecordPointer? {
    let now = epoch.pointee.load(ordering: .acquiring)
    if fence == .asymmetric { _ = cl_membarrier() }
    lock.lock()
    let late = records.first { record in
      let state = record.pointee.state.load(ordering: .acquiring)
      return state != 0 && state >> 1 != now
    }
    lock.unlock()
    if let late { return late }
    _ = epoch.pointee.compareExchange(
      expected: now, desired: now &+ 1, successOrdering: .acquiringAndReleasing, failureOrdering: .relaxed)
    return nil
  }

  private func free(retiredBefore limit: UInt64) {
    lock.lock()
    var due: [() -> Void] = []
    retired.removeAll { item in
      guard item.epoch < limit else { return false }
      due.append(item.free)
      return true
    }
    lock.unlock()
    pending.wrappingSubtract(UInt64(due.count), ordering: .relaxed)
    for free in due { free() }
  }
}

extension EpochDomain.RecordPointer {
  /// Comes in: until ``exit()`` nothing that this thread can reach is freed. Entries nest.
  @inline(__always)
  func enter() {
    let depth = pointee.depth
    depth.pointee &+= 1
    guard depth.pointee == 1 else { return }
    // Acquiring: what is looked up after this must not have been read before it, in an epoch that is over.
    pointee.state.store(pointee.epoch.pointee.load(ordering: .acquiring) << 1 | 1, ordering: .relaxed)
    if pointee.fencesItself {
      atomicMemoryFence(ordering: .sequentiallyConsistent)
    } else {
      cl_compiler_fence()
    }
  }

  @inline(__always)
  func exit() {
    let depth = pointee.depth
    depth.pointee &-= 1
    if depth.pointee == 0 { pointee.state.store(0, ordering: .releasing) }
  }
}
