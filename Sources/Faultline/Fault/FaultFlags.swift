/// # Fault
///
/// From an access that the page table refused to the entry that lets it go on.
///
/// The way of one fault: ``AddressSpace/resolve(_:_:by:)`` finds the area and asks whether it permits the access, under
/// the lock protocol and with the retries that live only there; `handleFault` sorts by what is entered now; a missing
/// file page goes to the read, the copy or the shared station; a read asks `mapAround` first, then the file's
/// `faultPage`, whose page `finishFault` enters. A present but read-only page goes to the write-protect station.
///
/// Laws
/// 1. An entry is set only under its table's lock, after comparing it with what was seen before.
/// 2. What a station takes (a folio's reference and lock, a private page, a spare table) is given back on every exit; a
///    successful entry keeps exactly one reference.
/// 3. No station allocates what may need reclaim while it holds a folio's lock.
/// 4. A page is entered only while its folio is locked and its index was seen below the file's end under that lock.
/// 5. A retry drops everything that it holds, and the address space's lock too unless the attempt may not wait; nothing
///    but the flags survives it.
///
/// Lock order: address space, content lock (shared), folio, table.
///
/// This folder calls `Space/`, `Cache/`, `Tables/` and `Memory/`; nothing below calls it.

/// What is known of an access and of how its fault may be handled, with the kernel's numbers. Kernel: `enum
/// fault_flag`.
public struct FaultFlags: OptionSet, Hashable, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The access is a store.
  public static let write = FaultFlags(rawValue: 1 << 0)
  /// The handler may drop the lock and ask to be called again.
  public static let allowRetry = FaultFlags(rawValue: 1 << 2)
  /// With `allowRetry`: never wait for a page, and keep the lock.
  public static let retryNoWait = FaultFlags(rawValue: 1 << 3)
  /// Waits may be ended by a fatal signal.
  public static let killable = FaultFlags(rawValue: 1 << 4)
  /// This is not the first attempt: make progress without dropping the lock.
  public static let tried = FaultFlags(rawValue: 1 << 5)
  /// The program itself made the access, not the kernel for it.
  public static let user = FaultFlags(rawValue: 1 << 6)
  /// The access is an instruction fetch.
  public static let instruction = FaultFlags(rawValue: 1 << 8)
  /// Waits may be ended by any signal.
  public static let interruptible = FaultFlags(rawValue: 1 << 9)
  /// The kernel wants to pin a page for reading: a private page that others can see is replaced by a copy, which stays
  /// read-only.
  public static let unshare = FaultFlags(rawValue: 1 << 10)
  /// The attempt runs under the area's own lock, not the address space's.
  public static let vmaLock = FaultFlags(rawValue: 1 << 12)

  /// What every fault starts with. Kernel: `FAULT_FLAG_DEFAULT`.
  public static let standard: FaultFlags = [.allowRetry, .killable, .interruptible]

  /// Whether the lock may be dropped: only on the first attempt. Kernel: `fault_flag_allow_retry_first`.
  @inline(__always)
  var mayDropLock: Bool { intersection([.allowRetry, .tried]) == .allowRetry }
}

/// How an attempt at a fault ended, with the kernel's numbers. Kernel: `enum vm_fault_reason`.
public struct FaultResult: OptionSet, Hashable, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// No memory.
  public static let outOfMemory = FaultResult(rawValue: 0x1)
  /// Beyond the end of the file, or the data cannot be had.
  public static let busError = FaultResult(rawValue: 0x2)
  /// The page was not in memory.
  public static let major = FaultResult(rawValue: 0x4)
  /// The page's memory is damaged.
  public static let poisoned = FaultResult(rawValue: 0x10)
  /// The access is not allowed after all.
  public static let segmentationFault = FaultResult(rawValue: 0x40)
  /// The entry is in place, or somebody else was first: make the access again.
  public static let noPage = FaultResult(rawValue: 0x100)
  /// A page comes back with its folio locked.
  public static let locked = FaultResult(rawValue: 0x200)
  /// Not finished; the lock was dropped, but not with ``FaultFlags/retryNoWait``. Find the area again.
  public static let retry = FaultResult(rawValue: 0x400)
  /// A huge-page station declines; go on one level below.
  public static let fallback = FaultResult(rawValue: 0x800)
  /// The program's own copy is entered. Kernel: `VM_FAULT_DONE_COW`.
  public static let doneCopy = FaultResult(rawValue: 0x1000)
  /// The store must make its metadata durable before the page may be entered (MAP_SYNC).
  public static let needsDataSync = FaultResult(rawValue: 0x2000)

  /// Any of these ends the access. Kernel: `VM_FAULT_ERROR`.
  public static let error: FaultResult = [.outOfMemory, .busError, .poisoned, .segmentationFault, .fallback]

  @inline(__always)
  var isError: Bool { !isDisjoint(with: .error) }

  /// Whether a station that asked for a page got none.
  @inline(__always)
  var bringsNoPage: Bool { !isDisjoint(with: FaultResult.error.union([.noPage, .retry])) }
}
