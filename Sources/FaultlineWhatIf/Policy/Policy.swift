/// # Policy
///
/// What a replay may be asked: policies as values, as text that people type, and the list that everybody is asked.
///
/// Laws
/// 1. A policy text that does not parse says what is wrong and at which character; nothing a user types traps.
/// 2. Sizes are rounded here as the kernel rounds its knobs, so that a table shows what would be in force.
///
/// This folder calls nothing.

/// One answer to "how should this file be mapped?": the advice, readahead and fault-around that a replay runs under.
///
/// A policy changes the chosen files only; everything else of the recording happens as it happened.
public struct Policy: Sendable, Equatable {
  /// The `madvise` given to every mapping of a chosen file.
  public enum Madvise: String, Sendable, CaseIterable {
    /// The program's own calls, and nothing else.
    case asRecorded = "asrecorded"
    /// `MADV_NORMAL`; the program's own NORMAL, RANDOM and SEQUENTIAL are ignored, as under all that follow.
    case normal
    /// `MADV_RANDOM`: a miss reads one page.
    case random
    /// `MADV_SEQUENTIAL`: a miss reads forward.
    case sequential
    /// `MADV_WILLNEED` once, when the mapping appears: the range is read ahead, nothing is mapped.
    case willNeed = "willneed"
    /// `MADV_POPULATE_READ` once, when the mapping appears: the range is read and mapped.
    case populate
    /// `MADV_HUGEPAGE`: a miss reads 2 MiB and the next, in folios of that size where the file system makes them.
    case hugePage = "hugepage"
    /// `MADV_NOHUGEPAGE`: nothing is mapped 2 MiB at once.
    case noHugePage = "nohugepage"
  }

  /// The readahead of the device below a chosen file (`read_ahead_kb`).
  public enum Readahead: Sendable, Equatable {
    /// What the device was set to during the recording.
    case device
    /// A value of one's own, in bytes, a multiple of the page size; 0 switches readahead off.
    case bytes(UInt64)
  }

  /// The kernel's own `fault_around_bytes`, in every version since 3.15.
  public static let defaultFaultAroundBytes: UInt64 = 65_536

  public var name: String
  public var madvise: Madvise
  public var readahead: Readahead
  /// Window of fault-around in bytes: a power of two from 4096 (off) to 2 MiB. It is one number for the whole machine.
  public var faultAroundBytes: UInt64

  /// A policy that differs from what was recorded only in what is given here.
  ///
  /// - Parameter name: how tables call it; nil makes a name from the settings.
  public init(
    name: String? = nil, madvise: Madvise = .asRecorded, readahead: Readahead = .device,
    faultAroundBytes: UInt64 = Policy.defaultFaultAroundBytes
  ) {
    self.name = name ?? Policy.describe(madvise, readahead, faultAroundBytes)
    self.madvise = madvise
    self.readahead = readahead
    self.faultAroundBytes = faultAroundBytes
  }

  /// The program as it was, on the machine as it was.
  public static let asRecorded = Policy()

  /// Whether the running kernel can be put under this policy without changing the machine: the advice can be injected,
  /// while fault-around and the device's readahead belong to everybody.
  public var isVerifiable: Bool {
    guard readahead == .device, faultAroundBytes == Policy.defaultFaultAroundBytes else { return false }
    switch madvise {
    case .asRecorded, .normal, .random, .sequential, .hugePage, .noHugePage: return true
    case .willNeed, .populate: return false
    }
  }

  /// Whether two policies ask for the same thing under different names.
  public func hasSameEffect(as other: Policy) -> Bool {
    madvise == other.madvise && readahead == other.readahead && faultAroundBytes == other.faultAroundBytes
  }

  private static func describe(_ madvise: Madvise, _ readahead: Readahead, _ around: UInt64) -> String {
    var parts: [String] = []
    if madvise != .asRecorded { parts.append(madvise.rawValue) }
    if case .bytes(let bytes) = readahead { parts.append("readahead \(ByteSize.format(bytes))") }
    if around != defaultFaultAroundBytes { parts.append("around \(ByteSize.format(around))") }
    return parts.isEmpty ? "as recorded" : parts.joined(separator: ", ")
  }
}
