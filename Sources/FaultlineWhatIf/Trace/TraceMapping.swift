/// A file that the program mapped.
public struct TraceFile: Equatable, Sendable {
  public var id: Int
  public var path: String
  /// Size when it was first mapped.
  public var bytes: UInt64
  /// The kernel's `st_dev` and `st_ino`.
  public var device: UInt64
  public var inode: UInt64
  /// The recording user owns the file or may write it; only then does `mincore` say the truth about it.
  public var isOwnedOrWritable: Bool
  /// The pages that were in the page cache before the first mapping, ascending; nil where the kernel does not tell this user.
  public var resident: [TraceRun]?
  /// The kernel's name of the file system type, e.g. `ext4`; empty when unknown.
  public var fileSystem: String
  /// `read_ahead_kb` of the device below the file, in KiB; nil when it has none.
  public var readAheadKB: Int?

  public init(
    id: Int, path: String, bytes: UInt64, device: UInt64, inode: UInt64, isOwnedOrWritable: Bool, resident: [TraceRun]?,
    fileSystem: String, readAheadKB: Int?
  ) {
    self.id = id
    self.path = path
    self.bytes = bytes
    self.device = device
    self.inode = inode
    self.isOwnedOrWritable = isOwnedOrWritable
    self.resident = resident
    self.fileSystem = fileSystem
    self.readAheadKB = readAheadKB
  }
}

/// A run of file pages.
public struct TraceRun: Equatable, Sendable {
  public var page: UInt64
  public var pages: UInt64

  public init(page: UInt64, pages: UInt64) {
    self.page = page
    self.pages = pages
  }
}

/// A file mapping as the program asked for it; what the recorder changed to see its touches is not in the trace.
public struct TraceMapping: Equatable, Sendable {
  public var range: TraceRange
  public var protection: TraceProtection
  /// The kernel's MAP_ flags; of a mapping that `execve` made, MAP_PRIVATE or MAP_SHARED alone.
  public var flags: UInt64
  public var file: Int
  /// The file page behind the first virtual page.
  public var filePage: UInt64
  /// The mapping belongs to a program or a shared library, not to data.
  public var isText: Bool
  /// The open file description that was mapped: mappings and reads through the same one share its readahead. Numbered over the
  /// whole trace; nil where that is not known.
  public var openFile: Int?

  public init(
    range: TraceRange, protection: TraceProtection, flags: UInt64, file: Int, filePage: UInt64, isText: Bool,
    openFile: Int? = nil
  ) {
    self.range = range
    self.protection = protection
    self.flags = flags
    self.file = file
    self.filePage = filePage
    self.isText = isText
    self.openFile = openFile
  }

  /// MAP_SHARED or MAP_SHARED_VALIDATE.
  public var isShared: Bool { flags & 0x3 != 0x2 }
}

/// What a look at the page table of a range found, in pages: `present == touches + untimed + inherited`.
public struct TraceScan: Equatable, Sendable {
  public var range: TraceRange
  /// Pages of file mappings in the range that have an entry.
  public var present: UInt64
  /// Those whose touch was recorded as it happened.
  public var touches: UInt64
  /// Those found by this or an earlier scan.
  public var untimed: UInt64
  /// Those that `fork` copied from the parent.
  public var inherited: UInt64
  /// Pages with a recorded touch that have no entry now: the touch failed, or the page was taken away again.
  public var gone: UInt64

  public init(range: TraceRange, present: UInt64, touches: UInt64, untimed: UInt64, inherited: UInt64, gone: UInt64) {
    self.range = range
    self.present = present
    self.touches = touches
    self.untimed = untimed
    self.inherited = inherited
    self.gone = gone
  }
}
