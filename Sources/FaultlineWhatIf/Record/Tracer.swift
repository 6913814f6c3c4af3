import CLinux
import Glibc

/// Runs a program under ptrace and tells an observer what it does to its address spaces.
///
/// Everything happens on one thread, the one that spawned the program: ptrace and `__WNOTHREAD` tie tracees to it. The way of one
/// system call: the seccomp filter stops the thread at the entry; the call is decoded, perhaps changed or held back; it runs; at its
/// end the tables are brought up to date, before the thread sees the result.
final class Tracer {
  let program: String
  let files: MappedFiles
  let observer: any TraceObserver
  let pageShift = UInt64(getpagesize().trailingZeroBitCount)
  /// The program may use userfaultfd: nothing of it is registered.
  let allowsUserfault: Bool

  var tasks: [Int32: TracedTask] = [:]
  /// Threads that have stopped for the first time before their parent's stop told about them.
  private var early: Set<Int32> = []
  private var freeIndices: [Int] = []
  private var nextIndex = 0
  private var nextSpace = 0
  var nextOpenFile = 0
  private var rootStatus: Int32 = 0
  /// Only processes that the program left behind are still running.
  private(set) var hasRootEnded = false
  private(set) var failure: RecordError?
  /// Advice on files that are not mapped yet, and reads of them, by device and inode; it counts once they are.
  var earlyCalls: [[UInt64]: [(Int) -> TraceEvent]] = [:]
  /// Calls that ``followedCallBegins(_:)`` may still look at.
  var followedCallsLeft = 1 << 14

  init(program: String, files: MappedFiles, observer: any TraceObserver, allowsUserfault: Bool) {
    self.program = program
    self.files = files
    self.observer = observer
    self.allowsUserfault = allowsUserfault
  }

  /// Follows the spawned and seized process `root` until it and all that it started have ended; its wait status. Each stop is
  /// handled inside `guarded`.
  func run(root: Int32, guarded: (() -> Void) -> Void) throws(RecordError) -> Int32 {
    let before = TracedSpace(number: nil, process: root)
    tasks[root] = TracedTask(thread: root, process: root, index: takeIndex(), space: before, name: program)
    var stop = cl_stop()
    while cl_trace_wait(-1, &stop) == 0 {
      guarded {
        if stop.tid == root, Int(stop.kind) == CL_STOP_EXITED {
          rootStatus = Int32(truncatingIfNeeded: stop.value)
          hasRootEnded = true
        }
        observer.takeSamples()
        handle(stop)
        // The parent of an early thread was killed before it could tell.
        if tasks.isEmpty { for thread in early { kill(thread, SIGKILL) } }
      }
    }
    if let failure { throw failure }
    return rootStatus
  }

  /// Ends the program: it cannot be followed.
  func fail(_ error: RecordError) {
    if failure == nil { failure = error }
    killAll()
  }

  func killAll() {
    for task in tasks.values { kill(task.process, SIGKILL) }
  }

  func handle(_ stop: cl_stop) {
    guard let task = tasks[stop.tid] else { return handleUnknown(stop) }
    switch Int(stop.kind) {
    case CL_STOP_EXITED: taskExited(task, status: Int32(truncatingIfNeeded: stop.value))
    case CL_STOP_EXITING: taskExits(task)
    case CL_STOP_SIGNAL: resume(task, signal: Int32(truncatingIfNeeded: stop.value))
    case CL_STOP_GROUP: _ = cl_trace_resume(task.thread, Int32(CL_RESUME_LISTEN), 0)
    case CL_STOP_CLONED: taskCloned(task, child: Int32(truncatingIfNeeded: stop.value))
    case CL_STOP_EXEC: taskReplaced(task, former: Int32(truncatingIfNeeded: stop.value))
    case CL_STOP_SECCOMP: callStops(task, stop)
    case CL_STOP_CALL_END:
      if task.isFollowed, cl_trace_is_call_begin(task.thread) != 0 { followedCallBegins(task) } else { callEnds(task) }
    case CL_STOP_STARTED: taskStarts(task)
    default: resume(task)
    }
  }

  func resume(_ task: TracedTask, signal: Int32 = 0) {
    let stopsAtCalls = task.call != nil || task.isFollowed
    _ = cl_trace_resume(task.thread, Int32(stopsAtCalls ? CL_RESUME_TO_CALL_END : CL_RESUME), signal)
  }

  /// Makes calls in the name of a stopped thread; `body` is not called when the thread is gone.
  func inject(into task: TracedTask, _ body: (inout Injection) -> Void) {
    guard var injection = Injection(thread: task.thread, site: task.space.callSite) else { return }
    body(&injection)
    guard let stop = injection.end() else { return }
    if Int(stop.kind) == CL_STOP_GROUP {
      // The stop was consumed by the injection; the program is to stop all the same.
      _ = cl_kill_thread(task.process, task.thread, SIGSTOP)
    } else {
      handle(stop)
    }
  }

  private func handleUnknown(_ stop: cl_stop) {
    if Int(stop.kind) == CL_STOP_EXITED {
      early.remove(stop.tid)
    } else if Int(stop.kind) == CL_STOP_STARTED {
      early.insert(stop.tid)
    } else {
      _ = cl_trace_resume(stop.tid, Int32(CL_RESUME), 0)
    }
  }

  // MARK: Life and death

  private func taskCloned(_ parent: TracedTask, child: Int32) {
    let flags = cloneFlags(parent)
    let sharesMemory = flags & 0x100 != 0  // CLONE_VM
    let sharesProcess = flags & 0x10000 != 0  // CLONE_THREAD
    var space = parent.space
    if sharesMemory {
      space.users += 1
    } else {
      space = makeSpace(process: child)
      space.mappings = parent.space.mappings.copiedForChild()
      space.callSite = parent.space.callSite
      space.watchedDescriptors = parent.space.watchedDescriptors
      space.openFiles = parent.space.openFiles
    }
    let task = TracedTask(
      thread: child, process: sharesProcess ? parent.process : child, index: takeIndex(), space: space,
      name: parent.name)
    tasks[child] = task
    if !sharesMemory { observer.spaceBegan(space, task, parent: parent.space, program: "") }
    if sharesMemory { observer.taskBegan(task) }
    resume(parent)
    task.startsSpace = !sharesMemory
    if early.remove(child) != nil { taskStarts(task) }
  }

  private func taskStarts(_ task: TracedTask) {
    if task.startsSpace {
      task.startsSpace = false
      observer.spaceStarts(task.space, task)
    }
    resume(task)
  }

  private func cloneFlags(_ task: TracedTask) -> UInt64 {
    var registers = cl_registers()
    guard cl_trace_get_registers(task.thread, &registers) == 0 else { return 0 }
    let first = cl_call_argument(&registers, 0)
    switch Int(cl_call_number(&registers)) {
    case CL_CALL_VFORK: return 0x100
    case CL_CALL_CLONE: return first
    case CL_CALL_CLONE3:
      var flags: UInt64 = 0
      return cl_process_read(task.process, first, &flags, 8) == 8 ? flags : 0
    default: return 0
    }
  }

  /// `execve` has succeeded: the thread is alone in a new address space. What it holds is read when the call ends.
  private func taskReplaced(_ leader: TracedTask, former: Int32) {
    var task = leader
    if former != leader.thread, let caller = tasks.removeValue(forKey: former) {
      leave(leader, isReplaced: true)
      freeIndices.append(leader.index)
      observer.taskEnded(leader, status: 0)
      caller.thread = leader.thread
      tasks[leader.thread] = caller
      task = caller
    }
    let old = task.space
    leave(task, isReplaced: true)
    release(old, by: former)  // the thread has taken over the number of its leader
    task.isExiting = false
    task.followedCalls = 0
    task.space = makeSpace(process: task.thread)
    task.call = CallInProgress { [unowned self, unowned task] _ in programBegins(task) }
    resume(task)
  }

  private func programBegins(_ task: TracedTask) {
    let path = linkTarget("/proc/\(task.process)/exe") ?? program
    task.space.callSite = callSite(in: task.process)
    task.name = String(path.split(separator: "/").last ?? "")
    // The kernel opens the program, and its loader, for itself.
    var openFiles: [Int: Int] = [:]
    for mapping in ProcMapping.all(of: task.process) {
      guard let (file, _) = files.number(ofPath: mapping.path) else { continue }
      if openFiles[file] == nil {
        openFiles[file] = nextOpenFile
        nextOpenFile += 1
      }
      let pages = (mapping.addresses.lowerBound >> pageShift)..<(mapping.addresses.upperBound >> pageShift)
      task.space.mappings.insert(
        FileMapping(
          pages: pages, file: file, filePage: mapping.offset >> pageShift, protection: mapping.protection,
          isShared: mapping.isShared, isText: files.isText(file, protection: [.execute]), openFile: openFiles[file]))
    }
    observer.spaceBegan(task.space, task, parent: nil, program: path)
  }

  private func taskExits(_ task: TracedTask) {
    leave(task)
    observer.taskExits(task)
    resume(task)
  }

  private func taskExited(_ task: TracedTask, status: Int32) {
    leave(task)
    tasks[task.thread] = nil
    freeIndices.append(task.index)
    observer.taskEnded(task, status: status)
  }

  /// The thread will not touch its address space any more; the last one closes it.
  /// A space that `execve` has replaced was looked at when the call began, and is gone.
  private func leave(_ task: TracedTask, isReplaced: Bool = false) {
    guard !task.isExiting else { return }
    task.isExiting = true
    let space = task.space
    task.call = nil
    if space.users == 1, space.number != nil {
      if !isReplaced { observer.spaceEnds(space, task) }
      observer.spaceEnded(space, task)
    }
    space.users -= 1
    release(space, by: task.thread)
  }

  private func makeSpace(process: Int32) -> TracedSpace {
    defer { nextSpace += 1 }
    return TracedSpace(number: nextSpace, process: process)
  }

  private func takeIndex() -> Int {
    if nextIndex < 1 << 16 {
      nextIndex += 1
      return nextIndex - 1
    }
    return freeIndices.isEmpty ? 0 : freeIndices.removeFirst()
  }

  // MARK: System calls

  private func callStops(_ task: TracedTask, _ stop: cl_stop) {
    if stop.value == UInt64(CL_STOP_FOREIGN) {
      refuse("it runs 32-bit code", "only 64-bit programs can be followed")
      return resume(task)
    }
    guard task.space.number != nil else { return resume(task) }
    let mayWait = stop.value == UInt64(CL_STOP_CALL)
    if mayWait, let caller = task.space.caller, caller != task.thread {
      task.space.waiting.append(stop)
      return
    }
    callBegins(task)
    if let call = task.call, call.isExclusive { task.space.caller = task.thread }
    resume(task)
  }

  private func callEnds(_ task: TracedTask) {
    if let call = task.call {
      task.call = nil
      var registers = cl_registers()
      if cl_trace_get_registers(task.thread, &registers) == 0 {
        let result = cl_call_result(&registers)
        if !call.original.isEmpty {
          for (index, value) in call.original { cl_call_set_argument(&registers, index, value) }
          _ = cl_trace_set_registers(task.thread, &registers)
        }
        call.end(result)
      }
      release(task.space, by: task.thread)
    }
    resume(task)
  }

  /// The next thread may change the mappings.
  private func release(_ space: TracedSpace, by thread: Int32) {
    guard space.caller == thread else { return }
    space.caller = nil
    while space.caller == nil, !space.waiting.isEmpty {
      let stop = space.waiting.removeFirst()
      if let next = tasks[stop.tid], !next.isExiting { callStops(next, stop) }
    }
  }
}
