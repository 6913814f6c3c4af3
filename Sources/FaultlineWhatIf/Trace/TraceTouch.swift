/// How a page was touched.
public enum TraceAccess: UInt8, Sendable {
  case read = 0
  case write = 1
  case execute = 2
}

/// The first touch of a page: 16 bytes, the same in the file and in memory.
///
/// Word 0: kind (bits 0-7), access (8-11), task index (12-27), virtual page number (28-63). Word 1: nanoseconds since the start.
public struct TraceTouch: Equatable, Sendable {
  var word: UInt64
  /// Nanoseconds since the start of the recording; of an untimed touch, when the scan found it.
  public var time: UInt64

  /// What the record says about its touch; raw values are the format.
  public enum Kind: UInt8, Sendable {
    /// A fault was seen: page, task and time are exact.
    case timed = 1
    /// A scan found the page mapped with no fault seen: a system call touched it, or the fault was lost. The time is an upper bound.
    case untimed = 2
    /// A touch seen again in a later epoch; reserved, not written by this version.
    case retouch = 3
    /// A `read` served from the page; reserved, not written by this version.
    case read = 4
  }

  public init(kind: Kind, access: TraceAccess, task: Int, page: UInt64, time: UInt64) {
    word =
      UInt64(kind.rawValue) | UInt64(access.rawValue) << 8 | UInt64(UInt16(truncatingIfNeeded: task)) << 12 | page << 28
    self.time = time
  }

  init(word: UInt64, time: UInt64) {
    self.word = word
    self.time = time
  }

  /// The virtual page number: address divided by the page size.
  public var page: UInt64 { word &>> 28 }
  /// The index of the thread; ``TraceEvent/task(_:)`` names its thread and process.
  public var task: Int { Int(truncatingIfNeeded: (word &>> 12) & 0xFFFF) }
  /// A loaded trace holds no other access than the three of ``TraceAccess``.
  public var access: TraceAccess { TraceAccess(rawValue: UInt8(truncatingIfNeeded: (word &>> 8) & 0xF)) ?? .read }
  public var kind: Kind { Kind(rawValue: UInt8(truncatingIfNeeded: word)) ?? .timed }
  public var isUntimed: Bool { UInt8(truncatingIfNeeded: word) == Kind.untimed.rawValue }
}
