/// A record that is not a touch: when, by which thread, and what.
public struct TraceRecord: Equatable, Sendable {
  /// Nanoseconds since the start of the recording.
  public var time: UInt64
  /// Index of the thread that did it; 0 for records about the whole trace.
  public var task: Int
  public var event: TraceEvent

  public init(time: UInt64, task: Int, event: TraceEvent) {
    self.time = time
    self.task = task
    self.event = event
  }
}

/// What happened. Pages are virtual page numbers, file positions are bytes unless they are called pages.
///
/// A *process* in a trace is an address space: a `vfork` child has the process of its parent, and every `execve` begins a new one.
public enum TraceEvent: Equatable, Sendable {
  case commandLine([String])
  case environment(TraceEnvironment)
  /// Declares the thread behind a task index, and again when its process or name changes. An index is used anew after `taskExit`.
  case task(TraceTask)
  /// `child` begins as a copy of the mappings of `parent`.
  case fork(parent: Int, child: Int)
  /// `process` begins empty; the mappings that the kernel made for the program follow.
  case exec(process: Int, path: String)
  /// The thread of the record's task index ended with this wait status.
  case taskExit(status: Int)
  /// The address space is gone.
  case processEnd(process: Int)
  case file(TraceFile)
  case map(TraceMapping)
  case unmap(TraceRange)
  case remap(process: Int, page: UInt64, pages: UInt64, newPage: UInt64, newPages: UInt64)
  case protect(TraceRange, protection: TraceProtection)
  /// `madvise`; `advice` is the kernel's number.
  case advise(TraceRange, advice: Int)
  /// The program asked for pages ahead of touching them; the recorder held the request back so that touches stay visible.
  case populate(TraceRange, how: TracePopulate)
  /// `msync`; `flags` are the kernel's.
  case sync(TraceRange, flags: Int)
  /// `posix_fadvise`; `advice` is the kernel's number, a length of 0 reaches to the end. `openFile` here and below is as in
  /// ``TraceMapping/openFile``.
  case fileAdvise(file: Int, offset: UInt64, length: UInt64, advice: Int, openFile: Int? = nil)
  case readahead(file: Int, offset: UInt64, length: UInt64, openFile: Int? = nil)
  case truncate(file: Int, bytes: UInt64)
  /// `fallocate`; `mode` is the kernel's.
  case allocate(file: Int, mode: Int, offset: UInt64, length: UInt64)
  /// `read`, `pread` or `sendfile` of a mapped file.
  case fileRead(file: Int, offset: UInt64, length: UInt64, openFile: Int? = nil)
  case scan(TraceScan)
  /// The kernel dropped this many faults; a scan finds their pages as untimed touches.
  case lost(Int)
  case warning(String)
  /// The last record: how the program ended.
  case end(TraceEnd)
}

public struct TraceEnvironment: Equatable, Sendable {
  /// `uname -r` of the recording machine.
  public var kernelRelease: String
  /// `uname -m`.
  public var machine: String
  /// The user who recorded.
  public var userID: Int
  /// Faults that the kernel took on a system call's behalf were visible, so they are timed touches.
  public var kernelFaultsVisible: Bool

  public init(kernelRelease: String, machine: String, userID: Int, kernelFaultsVisible: Bool) {
    self.kernelRelease = kernelRelease
    self.machine = machine
    self.userID = userID
    self.kernelFaultsVisible = kernelFaultsVisible
  }
}

public struct TraceTask: Equatable, Sendable {
  /// The index that touches carry, 0 to 65,535.
  public var index: Int
  public var threadID: Int
  public var processID: Int
  /// The address space that the thread runs in, counted from 0 in order of appearance.
  public var process: Int
  public var name: String

  public init(index: Int, threadID: Int, processID: Int, process: Int, name: String) {
    self.index = index
    self.threadID = threadID
    self.processID = processID
    self.process = process
    self.name = name
  }
}

/// `pages` virtual pages of a process from `page` on.
public struct TraceRange: Equatable, Sendable {
  public var process: Int
  public var page: UInt64
  public var pages: UInt64

  public init(process: Int, page: UInt64, pages: UInt64) {
    self.process = process
    self.page = page
    self.pages = pages
  }
}

/// The kernel's PROT_ bits.
public struct TraceProtection: OptionSet, Equatable, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }
  public static let read = TraceProtection(rawValue: 1)
  public static let write = TraceProtection(rawValue: 2)
  public static let execute = TraceProtection(rawValue: 4)
}

/// Why pages would have been filled ahead; raw values are the format.
public enum TracePopulate: UInt64, Sendable {
  case mapPopulate = 1
  case mapLocked, advisePopulateRead, advisePopulateWrite, lock, lockOnFault
}

/// How the recorded program ended.
public enum TraceEnd: Equatable, Sendable {
  case exited(code: Int)
  case killed(signal: Int)
}
