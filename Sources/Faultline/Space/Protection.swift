/// What a mapping allows, as in mmap(2) and mprotect(2).
public struct Protection: OptionSet, Hashable, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public static let read = Protection(rawValue: 1)
  public static let write = Protection(rawValue: 2)
  public static let execute = Protection(rawValue: 4)
}

/// The flags of mmap(2), with Linux's numbers.
public struct MapFlags: OptionSet, Hashable, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public static let shared = MapFlags(rawValue: 0x1)
  public static let `private` = MapFlags(rawValue: 0x2)
  /// MAP_SHARED_VALIDATE: like shared, but unknown flags are refused.
  public static let sharedValidate = MapFlags(rawValue: 0x3)
  /// MAP_DROPPABLE: anonymous memory that may be lost when memory is short.
  public static let droppable = MapFlags(rawValue: 0x8)
  public static let fixed = MapFlags(rawValue: 0x10)
  public static let anonymous = MapFlags(rawValue: 0x20)
  public static let above4GiB = MapFlags(rawValue: 0x80)
  public static let growsDown = MapFlags(rawValue: 0x100)
  public static let denyWrite = MapFlags(rawValue: 0x800)
  public static let executable = MapFlags(rawValue: 0x1000)
  public static let locked = MapFlags(rawValue: 0x2000)
  public static let noReserve = MapFlags(rawValue: 0x4000)
  public static let populate = MapFlags(rawValue: 0x8000)
  public static let nonblock = MapFlags(rawValue: 0x10000)
  public static let stack = MapFlags(rawValue: 0x20000)
  public static let hugeTLB = MapFlags(rawValue: 0x40000)
  public static let sync = MapFlags(rawValue: 0x80000)
  public static let fixedNoReplace = MapFlags(rawValue: 0x100000)

  /// What MAP_SHARED_VALIDATE accepts of every file: the flags from before it existed, the page-size field (bits 26 to 30)
  /// included. `fixedNoReplace` is younger. Kernel: `LEGACY_MAP_MASK`.
  static let validated = MapFlags(rawValue: 0x7c07_f9f3)

  /// The low bits that say shared, private or shared-validate. Kernel: `MAP_TYPE`.
  static let typeMask: UInt64 = 0xf

  var type: UInt64 { rawValue & Self.typeMask }
}

/// The advice of madvise(2), with Linux's numbers.
public enum Advice: Int32, Hashable, Sendable, CaseIterable {
  case normal = 0
  case random = 1
  case sequential = 2
  case willNeed = 3
  case dontNeed = 4
  /// Private memory only.
  case free = 8
  /// Shared mappings of files that may be written only.
  case remove = 9
  case dontFork = 10
  case doFork = 11
  case hugePage = 14
  case noHugePage = 15
  case dontDump = 16
  case doDump = 17
  case wipeOnFork = 18
  case keepOnFork = 19
  case cold = 20
  case pageOut = 21
  case populateRead = 22
  case populateWrite = 23
  case dontNeedLocked = 24
  /// Private memory, and files that live in memory.
  case collapse = 25
  case guardInstall = 102
  case guardRemove = 103
}
