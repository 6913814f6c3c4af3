/// How a thread's faults were tried. A fault that looked for an area's own lock, and never took the address space's, finished
/// without that.
public struct FaultAttempts: Hashable, Sendable {
  /// Looks for an area that can be locked by itself. Kernel: calls of `lock_vma_under_rcu` by faults.
  public internal(set) var areaLooks: UInt64 = 0
  /// Times that a fault took the address space's lock. Kernel: calls of `lock_mm_and_find_vma`.
  public internal(set) var spaceLocks: UInt64 = 0
  /// Attempts at handling a fault, under either lock, system calls' included. Kernel: calls of `handle_mm_fault`.
  public internal(set) var handlings: UInt64 = 0

  public init() {}

  /// What came since an earlier look.
  public static func - (now: Self, before: Self) -> Self {
    var difference = Self()
    difference.areaLooks = now.areaLooks &- before.areaLooks
    difference.spaceLocks = now.spaceLocks &- before.spaceLocks
    difference.handlings = now.handlings &- before.handlings
    return difference
  }
}
