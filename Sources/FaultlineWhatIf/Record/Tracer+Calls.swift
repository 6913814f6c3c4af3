import CLinux
import Glibc

/// A system call at its entry.
struct SystemCall {
  let thread: Int32
  private var registers: cl_registers

  init?(_ task: TracedTask) {
    thread = task.thread
    registers = cl_registers()
    guard cl_trace_get_registers(thread, &registers) == 0 else { return nil }
  }

  var number: Int { withUnsafePointer(to: registers) { Int(cl_call_number($0)) } }

  var isRead: Bool {
    [CL_CALL_READ, CL_CALL_PREAD, CL_CALL_READV, CL_CALL_PREADV, CL_CALL_SENDFILE].contains(number)
  }

  subscript(index: Int32) -> UInt64 {
    withUnsafePointer(to: registers) { cl_call_argument($0, index) }
  }

  /// Runs the call with another argument; the old one is put back at the end by ``CallInProgress/original``.
  mutating func set(_ index: Int32, _ value: UInt64) {
    cl_call_set_argument(&registers, index, value)
    _ = cl_trace_set_registers(thread, &registers)
  }

  /// Keeps the call from the kernel; the program sees success.
  mutating func skip() {
    cl_call_set_number(&registers, -1)
    cl_call_set_result(&registers, 0)
    _ = cl_trace_set_registers(thread, &registers)
  }
}

extension Tracer {
  /// Decodes the call of a thread at its entry. Leaves `task.call` set when the end of the call matters.
  func callBegins(_ task: TracedTask) {
    guard var call = SystemCall(task) else { return }
    switch call.number {
    case CL_CALL_MMAP: mapBegins(&call, task)
    case CL_CALL_MUNMAP: unmapBegins(call, task)
    case CL_CALL_MREMAP: remapBegins(call, task)
    case CL_CALL_MPROTECT: protectBegins(call, task)
    case CL_CALL_MADVISE: adviseBegins(&call, task)
    case CL_CALL_MLOCK, CL_CALL_MLOCK2: lockBegins(&call, task)
    case CL_CALL_MLOCKALL: lockAllBegins(&call, task)
    case CL_CALL_MSYNC: syncBegins(call, task)
    case CL_CALL_FADVISE, CL_CALL_READAHEAD, CL_CALL_FTRUNCATE, CL_CALL_FALLOCATE: fileCallBegins(call, task)
    case CL_CALL_READ, CL_CALL_PREAD, CL_CALL_READV, CL_CALL_PREADV, CL_CALL_SENDFILE: readBegins(call, task)
    case CL_CALL_OPEN, CL_CALL_OPENAT: openBegins(call, task)
    case CL_CALL_EXECVE, CL_CALL_EXECVEAT:
      observer.spaceEnds(task.space, task)
      task.call = CallInProgress { _ in }
    case CL_CALL_PTRACE: refuse("it uses ptrace itself", "record the program that it traces instead")
    case CL_CALL_USERFAULTFD: if !allowsUserfault { refuse("it uses userfaultfd itself", "use --coarse") }
    default: break
    }
  }

  func refuse(_ what: String, _ remedy: String) {
    fail(.unsupported(program: program, what: what, remedy: remedy))
  }

  /// The pages of a byte range; nil when it is empty or not an address range.
  func pageRange(_ address: UInt64, _ length: UInt64) -> Range<UInt64>? {
    let mask = (1 as UInt64) << pageShift - 1
    let (end, overflow) = address.addingReportingOverflow(length)
    guard length > 0, !overflow, end < 1 << 57 else { return nil }
    return (address >> pageShift)..<((end + mask) >> pageShift)
  }
}
