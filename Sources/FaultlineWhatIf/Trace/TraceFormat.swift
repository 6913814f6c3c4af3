/// The trace: what a recorded program did to its file mappings, in one file.
///
/// A file is a 64-byte header and a stream of records, little-endian and 8-byte aligned, roughly in time order. Touches are 16 bytes;
/// every other record is a head of 16 bytes and a payload of 64-bit words. `docs/trace-format.md` is the specification.
///
/// Laws of this folder: a record is written whole, so that a file cut anywhere is readable up to the cut; a loaded ``Trace``
/// holds only records that decode, so that a cursor never fails; reading a touch neither allocates nor retains.
enum TraceFormat {
  /// "FAULTLN1" as a little-endian word.
  static let magic: UInt64 = 0x314E_4C54_4C55_4146
  static let version: UInt32 = 1
  static let headerBytes = 64
  /// Header flag: the kernel's own fault-around was on while recording.
  static let coarseFlag: UInt32 = 1
  static let headBytes = 16
  /// Kinds below this are touches of exactly 16 bytes.
  static let firstEventKind: UInt8 = 16
  /// The length field of a head has 24 bits and counts words.
  static let maximumRecordBytes = ((1 << 24) - 1) * 8
}

/// The kinds of records that are not touches; raw values are the format.
enum TraceEventKind: UInt8 {
  case commandLine = 16
  case environment, task, fork, exec, taskExit, processEnd, file, map, unmap, remap, protect, advise, populate, sync
  case fileAdvise, readahead, truncate, allocate, fileRead, scan, lost, warning, end
}

/// What a trace file cannot be used for, and why.
public enum TraceError: Error, Equatable, CustomStringConvertible {
  /// The file could not be opened or read; `errno` says why.
  case unreadable(path: String, errno: Int32)
  /// The file has no content, or a header and nothing behind it.
  case empty(path: String)
  /// The file does not begin as a trace begins.
  case notATrace(path: String)
  /// The file was written by a Faultline with another trace version.
  case otherVersion(path: String, found: UInt32)
  /// The file could not be created or written; `errno` says why.
  case unwritable(path: String, errno: Int32)

  public var description: String {
    switch self {
    case .unreadable(let path, let code): "cannot read the trace '\(path)': \(systemErrorText(code))"
    case .empty(let path): "the trace '\(path)' is empty: record again with `faultline record -o \(path) -- PROGRAM`"
    case .notATrace(let path): "'\(path)' is not a Faultline trace: give a file that `faultline record` wrote"
    case .otherVersion(let path, let found):
      "the trace '\(path)' has version \(found), this Faultline reads version \(TraceFormat.version): record again"
    case .unwritable(let path, let code): "cannot write the trace '\(path)': \(systemErrorText(code))"
    }
  }
}
