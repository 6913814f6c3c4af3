import Faultline

/// One operation of a script, with its arguments as numbers. Byte counts are already multiplied out; those that the script
/// wrote as negative numbers wrap, as they do on their way into the kernel.
public enum Operation: Sendable, Equatable {
  case makeFile(MakeFile)
  case openFile(OpenRequest)
  case closeFile(String)
  case unlinkFile(String)
  case truncate(file: String, size: UInt64)
  case allocate(file: String, AllocateMode, ByteRange, keepSize: Bool)
  case adviseFile(file: String, ByteRange, FileAdvice)
  case readAhead(file: String, ByteRange)
  /// Writes the file back and drops its pages from the cache.
  case drop(file: String)
  case syncFile(String, dataOnly: Bool)
  case readFile(String, ByteRange)
  case writeFile(String, ByteRange, seed: UInt64)

  case map(MapRequest)
  /// Without a range: the whole mapping.
  case unmap(String, ByteRange?)
  case protect(String, ByteRange, Protection)
  case sync(String, ByteRange, SyncFlags)
  case advise(String, ByteRange, advice: Int32)
  case lock(String, ByteRange, onFault: Bool)
  case unlock(String, ByteRange)
  case remap(RemapRequest)

  case access(AccessRequest)
  case touch(TouchRequest)
  /// The kernel reads or writes the mapping on the program's behalf.
  case transfer(TransferRequest)
  /// The enclosed lines run in a child process, the parent waits.
  case fork([OperationScript.Line])

  case settle(milliseconds: Int64)
  case observe(Observation)
}

/// A range in bytes; `length` may be anything that a caller can pass to the kernel.
public struct ByteRange: Sendable, Equatable {
  public var offset: UInt64
  public var length: UInt64

  public init(offset: UInt64, length: UInt64) {
    self.offset = offset
    self.length = length
  }
}

/// `mkfile`: create a file and fill it.
public struct MakeFile: Sendable, Equatable {
  public enum Fill: String, Sendable, CaseIterable {
    case pattern, zero, sparse, falloc
  }
  public struct Options: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    /// Drop the pages from the cache when the file is written.
    public static let cold = Options(rawValue: 1)
    /// Leave the pages dirty.
    public static let noSync = Options(rawValue: 2)
    /// Go on with a fresh descriptor, whose readahead state is new.
    public static let reopen = Options(rawValue: 4)
  }
  public var name: String
  /// Bytes.
  public var size: UInt64
  /// `nil`: the file's number, counted from 1.
  public var seed: UInt64?
  public var fill: Fill
  /// Pages written by one call.
  public var chunkPages: Int64
  public var options: Options
}

/// `open`: another descriptor of a file.
public struct OpenRequest: Sendable, Equatable {
  public enum Mode: String, Sendable, CaseIterable {
    case readOnly = "ro"
    case writeOnly = "wo"
    case readWrite = "rw"
  }
  public var name: String
  public var mode: Mode
  /// The name under which the file was made, where it differs from `name`.
  public var fileName: String?
  public var seed: UInt64?
}

public enum AllocateMode: String, Sendable, CaseIterable {
  case allocate = "falloc"
  case punchHole = "punch"
  case zeroRange = "zerorange"
  case collapseRange = "collapse"
  case insertRange = "insert"
}

/// `mmap`.
public struct MapRequest: Sendable, Equatable {
  public var name: String
  /// `nil`: anonymous memory.
  public var file: String?
  public var offset: UInt64
  public var length: UInt64
  public var protection: Protection
  /// As they are passed to the system call; unknown bits included, since what becomes of those is part of the behaviour.
  public var flags: UInt64
  /// Page of the arena; `nil`: the next free multiple of 512.
  public var at: Int64?
  /// The address is a wish only.
  public var isHint: Bool
}

/// `mremap`.
public struct RemapRequest: Sendable, Equatable {
  public var name: String
  public var newLength: UInt64
  public var startPage: Int64
  /// `nil`: the whole mapping.
  public var oldPages: Int64?
  /// Page of the arena.
  public var to: Int64?
  public var mayMove: Bool
  /// The name of the moved mapping when the old one stays.
  public var keepOldAs: String?
}

/// One 8-byte access, or a call of the page's first byte.
public struct AccessRequest: Sendable, Equatable {
  public enum Kind: Sendable { case read, write, readModifyWrite, execute }
  public var kind: Kind
  public var mapping: String
  public var page: Int64
  /// Byte in the page.
  public var offset: Int64
  public var value: UInt64
}

/// One access of each page of a sequence.
public struct TouchRequest: Sendable, Equatable {
  public var mapping: String
  public var write: Bool
  public var pages: [Int64]
  /// Byte in the page.
  public var offset: Int64
  /// The sequence was drawn by the script's generator and is printed with the result.
  public var isDrawn: Bool
}

/// A system call that moves bytes between the mapping and something else.
public struct TransferRequest: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    case remoteRead = "gupr"
    case remoteWrite = "gupw"
    case forcedRead = "memr"
    case forcedWrite = "memw"
    case directRead = "dior"
    case directWrite = "diow"
    case bufferedRead = "sysread"
    case bufferedWrite = "syswrite"
    case splice = "vmsplice"
  }
  public var kind: Kind
  public var mapping: String
  public var range: ByteRange
  /// The other side and the byte offset in it, for the kinds that have a file.
  public var file: String?
  public var fileOffset: UInt64
  public var seed: UInt64
}

/// An operation that only looks.
public enum Observation: Sendable, Equatable {
  case smaps(String)
  case folios(String)
  case fileFolios(String)
  case extents(String)
  case fileSum(String)
}
