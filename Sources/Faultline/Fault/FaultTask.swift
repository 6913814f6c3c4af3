/// The thread that faults: its own counts. Kernel: `task_struct`'s `min_flt` and `maj_flt`.
///
/// Only its own thread may use it, so the counts need no atomics. Pass it by reference to every access.
public struct FaultTask: ~Copyable {
  /// Faults that found the page in memory.
  public private(set) var minorFaults: UInt64 = 0
  /// Faults that had to read.
  public private(set) var majorFaults: UInt64 = 0

  /// The asynchronous read that this fault, or an earlier one of the same system call, has started and nobody has waited for
  /// yet: its pages are still locked, here as on a device.
  var arriving = FaultTask.nothing

  static let nothing = UInt64.max

  public init() {}

  @inline(__always)
  mutating func count(major: Bool) {
    if major { majorFaults &+= 1 } else { minorFaults &+= 1 }
  }
}
