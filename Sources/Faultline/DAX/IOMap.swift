/// Where a range of a file lies on its device, as its file system says it. Kernel: `struct iomap`.
public struct IOMap: Sendable, Hashable {
  /// What is behind the range.
  public enum Kind: Sendable, Hashable {
    /// Nothing is allocated. `IOMAP_HOLE`
    case hole
    /// Blocks are allocated that read as zero. `IOMAP_UNWRITTEN`
    case unwritten
    /// Blocks with valid data. `IOMAP_MAPPED`
    case mapped
  }

  public struct Flags: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Blocks were allocated, or made written, by this request. `IOMAP_F_NEW`
    public static let new = Flags(rawValue: 1 << 0)
    /// Metadata that a crash would need to find the file's data is not durable yet. `IOMAP_F_DIRTY`
    public static let dirty = Flags(rawValue: 1 << 1)
    /// The blocks belong to another file too and must be copied before a store. `IOMAP_F_SHARED`
    public static let shared = Flags(rawValue: 1 << 2)
  }

  public var kind: Kind
  /// The range of the file, in bytes: holds the first byte that was asked for, and may be larger than what was asked for.
  public var range: Range<UInt64>
  /// Where the range's first byte lies on the device; without meaning for a hole. Bytes.
  public var address: UInt64
  public var flags: Flags

  public init(kind: Kind, range: Range<UInt64>, address: UInt64 = 0, flags: Flags = []) {
    self.kind = kind
    self.range = range
    self.address = address
    self.flags = flags
  }
}

/// Why a file system is asked where bytes lie. Kernel: `IOMAP_WRITE` and its like.
public struct IOMapRequest: OptionSet, Sendable, Hashable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The caller will store: holes are filled and unwritten blocks become written, both zeroed durably first.
  public static let write = IOMapRequest(rawValue: 1 << 0)
  /// The caller will zero the range; holes may stay.
  public static let zero = IOMapRequest(rawValue: 1 << 1)
  /// For a report; nothing changes.
  public static let report = IOMapRequest(rawValue: 1 << 2)
  /// For a page fault.
  public static let fault = IOMapRequest(rawValue: 1 << 3)
}

/// A file whose pages are a device's own: what the engine asks of its file system. Kernel: `iomap_ops` with the parts of
/// `inode_operations` and `file_operations` that DAX reaches.
///
/// Any thread may call it. The engine holds the file's content lock (kernel: `invalidate_lock`) shared around ``map(_:for:window:)``
/// of a fault and exclusive around what takes blocks away, so that blocks stay where a fault has found them. No method
/// calls back into the engine.
public protocol DAXFile: AnyObject, Sendable {
  var device: any DAXDevice { get }
  /// The file's number in its file system. Kernel: `i_ino`.
  var inode: UInt64 { get }
  /// Bytes in the file.
  var size: UInt64 { get }

  /// Where the bytes from `range.lowerBound` on lie. With ``IOMapRequest/write`` inside a handle: the answer is then ``IOMap/Kind/mapped``.
  /// ``IOMap/Flags/dirty`` is looked at after anything was allocated. Kernel: `iomap_begin`.
  ///
  /// - Parameter window: what will be asked for soon, around `range`: where `range` gets blocks, what lies within the window in the same
  ///   state may get some too, in the same handle and zeroed alike, so that asking for it finds nothing to do. A failure to do so
  ///   is none. The answer is about `range`. No kernel has this.
  /// - Throws: `ENOSPC`, `EIO`, `EROFS`.
  func map(_ range: Range<UInt64>, for request: IOMapRequest, window: Range<UInt64>) throws(KernelError) -> IOMap

  /// The caller is done with what ``map(_:for:window:)`` gave. Kernel: `iomap_end`.
  ///
  /// - Parameter written: bytes of it that were stored to.
  func endMap(_ map: IOMap, for request: IOMapRequest, written: UInt64) throws(KernelError)

  /// Opens a handle: what happens until ``endHandle()`` becomes durable together or not at all. Handles of one thread do not
  /// nest. Without effect where a file system has no transactions. Kernel: `ext4_journal_start`.
  ///
  /// - Throws: `EROFS` after an aborted commit.
  func beginHandle() throws(KernelError)
  func endHandle()

  /// Makes the file's metadata durable: all of it, or only what finding its data after a crash needs. Never inside a handle.
  /// Kernel: the journal's half of `fsync` and `fdatasync`.
  ///
  /// - Throws: `EIO`, `EROFS`.
  func commit(dataOnly: Bool) throws(KernelError)

  /// Sets the size, freeing blocks behind it; a growing file gets a hole. Nothing of the range is mapped any more. The tail of the last
  /// page is zeroed.
  func resize(to size: UInt64) throws(KernelError)

  /// Whether a crash now would leave these bytes of the file written at `address` of the device; `nil` where the file system
  /// cannot tell. For checkers: no fault asks.
  func isDurable(_ range: Range<UInt64>, at address: UInt64) -> Bool?

  /// Changes the blocks of a range of bytes. Nothing of a range that is given up is mapped any more.
  func change(_ change: RangeChange, _ range: Range<UInt64>, keepSize: Bool) throws(KernelError)
}

extension DAXFile {
  /// Where bytes lie, without a word about others.
  public func map(_ range: Range<UInt64>, for request: IOMapRequest) throws(KernelError) -> IOMap {
    try map(range, for: request, window: range)
  }

  public func isDurable(_ range: Range<UInt64>, at address: UInt64) -> Bool? { nil }
}
