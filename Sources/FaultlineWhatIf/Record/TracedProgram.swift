import CLinux
import Glibc

/// One thread of a traced program.
final class TracedTask {
  var thread: Int32
  let process: Int32
  /// The index that its touches carry.
  let index: Int
  var space: TracedSpace
  var name: String
  /// What to do when the system call that it is in has ended.
  var call: CallInProgress?
  /// Its address space is a fresh copy that the observer has not seen standing still yet.
  var startsSpace = false
  /// Calls, of any kind, at which it still stops because it has opened a file that it may map.
  var followedCalls = 0
  var isFollowed: Bool { followedCalls > 0 }
  /// It runs no user code any more.
  var isExiting = false

  init(thread: Int32, process: Int32, index: Int, space: TracedSpace, name: String) {
    self.thread = thread
    self.process = process
    self.index = index
    self.space = space
    self.name = name
  }
}

/// A system call between its two stops.
struct CallInProgress {
  /// Arguments that were changed on the way in and that the program must find unchanged.
  var original: [(index: Int32, value: UInt64)] = []
  /// Other threads may not change the mappings meanwhile. Not for calls that can wait for another thread, such as a read.
  var isExclusive = true
  var end: (_ result: Int64) -> Void
}

/// One address space of a traced program: a process, or a process and its `vfork` children.
///
/// Calls that change mappings are let through one at a time, so that the trace has them in the kernel's order: a second one waits in
/// its entry stop.
final class TracedSpace {
  /// The number in the trace; nil before the first `execve`, when the space is still a copy of this process.
  let number: Int?
  /// A process that lives in the space, for looking into it.
  let process: Int32
  var users = 1
  var mappings = FileMappings()
  /// The thread inside a mapping call, and the ones waiting in theirs.
  var caller: Int32?
  var waiting: [cl_stop] = []
  /// `mlockall(MCL_FUTURE)` was asked for.
  var locksFuture: TracePopulate?
  /// Descriptors whose reads stop the program.
  var watchedDescriptors: Set<UInt64> = []
  var openFiles = OpenFiles()
  /// Where a call can be injected; 0 when nowhere.
  var callSite: UInt64 = 0
  private var pidfd: Int32 = -1

  init(number: Int?, process: Int32) {
    self.number = number
    self.process = process
  }

  deinit { if pidfd >= 0 { close(pidfd) } }

  /// A copy of a descriptor of the program, for this process; the caller closes it.
  func copyDescriptor(_ descriptor: Int64) -> Int32 {
    if pidfd < 0 { pidfd = cl_pidfd_open(process) }
    guard pidfd >= 0, let number = Int32(exactly: descriptor) else { return -EBADF }
    return cl_pidfd_getfd(pidfd, number)
  }
}
