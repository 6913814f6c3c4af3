/// The thread that faults: its own counts. Kernel: `task_struct`'s `min_flt` and `maj_flt`.
///
/// Only its own thread may use it, so the counts need no atomics. Pass it by reference to every access.
public struct FaultTask: ~Copyable {
  /// Faults that found the page in memory.
  public private(set) var minorFaults: UInt64 = 0
  /// Faults that had to read.
  public private(set) var majorFaults: UInt64 = 0

  /// Under which locks they were tried.
  public internal(set) var attempts = FaultAttempts()

  /// What became of those that began without a lock.
  public internal(set) var speculation = SpeculationCounts()

  /// How those on files with DAX went.
  public internal(set) var directFaults = DirectFaultCounts()

  /// The first read that this fault, or an earlier one of the same system call, has started and nobody has waited for yet: its
  /// pages, and those of later reads, are still locked, here as on a device.
  var arriving = FaultTask.nothing

  static let nothing = UInt64.max

  /// The thread's place among the readers of the machine that it uses, once it has used one.
  private var record: EpochDomain.RecordPointer?
  private var domain: Unmanaged<EpochDomain>?

  public init() {}

  deinit { leave() }

  /// Enters the machine's epoch: nothing that this thread can reach is freed until it exits.
  ///
  /// - Parameter epoch: the domain's, by which a thread that has its place already knows it again.
  @inline(__always)
  mutating func enter(_ epoch: WordPointer, of domain: @autoclosure () -> EpochDomain) -> EpochDomain.RecordPointer {
    let record = reader(epoch, of: domain())
    record.enter()
    return record
  }

  /// The thread's place among the machine's readers, which it may enter and exit.
  @inline(__always)
  mutating func reader(_ epoch: WordPointer, of domain: @autoclosure () -> EpochDomain) -> EpochDomain.RecordPointer {
    if let record, record.pointee.epoch == epoch { return record }
    return join(domain())
  }

  @inline(never)
  private mutating func join(_ domain: EpochDomain) -> EpochDomain.RecordPointer {
    leave()
    let record = domain.register()
    self.record = record
    self.domain = Unmanaged.passRetained(domain)
    return record
  }

  private func leave() {
    guard let record, let domain else { return }
    domain.takeUnretainedValue().unregister(record)
    domain.release()
  }

  @inline(__always)
  mutating func count(major: Bool) {
    if major { majorFaults &+= 1 } else { minorFaults &+= 1 }
  }
}
