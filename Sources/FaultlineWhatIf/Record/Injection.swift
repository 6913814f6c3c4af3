import CLinux
import Glibc

/// System calls made in the name of a stopped thread, which then finds its registers and signal mask as they were.
struct Injection: ~Copyable {
  private let thread: Int32
  private let site: UInt64
  private let saved: cl_registers
  private let mask: UInt64
  /// A stop that came in between and is for the tracer to handle: the end of the thread, or job control.
  private(set) var interruption: cl_stop?

  /// `site` is the address of a system-call instruction. Nil when the thread is gone.
  init?(thread: Int32, site: UInt64) {
    var registers = cl_registers()
    var mask: UInt64 = 0
    guard site != 0, cl_trace_get_registers(thread, &registers) == 0,
      cl_trace_swap_signal_mask(thread, .max, &mask) == 0  // a handler must not run on the injected registers
    else { return nil }
    self.thread = thread
    self.site = site
    self.mask = mask
    saved = registers
  }

  /// The result of the call, or -errno; -ESRCH when the thread ended in it.
  mutating func call(_ number: Int, _ arguments: UInt64...) -> Int64 {
    guard !hasEnded else { return Int64(-ESRCH) }
    var registers = saved
    var all = arguments + Array(repeating: 0, count: 6 - arguments.count)
    cl_call_prepare(&registers, site, Int64(number), &all)
    guard cl_trace_set_registers(thread, &registers) == 0 else { return Int64(-ESRCH) }
    while true {
      var stop = cl_stop()
      guard cl_trace_resume(thread, Int32(CL_RESUME_ONE_STEP), 0) == 0, cl_trace_wait(thread, &stop) == 0 else {
        return Int64(-ESRCH)
      }
      switch Int(stop.kind) {
      case CL_STOP_EXITED, CL_STOP_EXITING:
        interruption = stop
        return Int64(-ESRCH)
      case CL_STOP_GROUP: interruption = stop
      case CL_STOP_SECCOMP: break  // the filter also sees calls that are not the program's
      default:
        guard cl_trace_get_registers(thread, &registers) == 0 else { return Int64(-ESRCH) }
        if cl_instruction_pointer(&registers) != site { return cl_call_result(&registers) }
      }
    }
  }

  /// Gives the thread its registers and signal mask back.
  consuming func end() -> cl_stop? {
    if !hasEnded {
      var registers = saved
      _ = cl_trace_set_registers(thread, &registers)
      _ = cl_trace_swap_signal_mask(thread, mask, nil)
    }
    return interruption
  }

  private var hasEnded: Bool {
    guard let stop = interruption else { return false }
    return Int(stop.kind) != CL_STOP_GROUP
  }
}

/// The address of a system-call instruction in the kernel's own page of a process; 0 when there is none.
func callSite(in process: Int32) -> UInt64 {
  let descriptor = open("/proc/\(process)/auxv", O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return 0 }
  defer { close(descriptor) }
  var vector = [UInt64](repeating: 0, count: 128)
  let count = vector.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
  let sharedObject: UInt64 = 33  // AT_SYSINFO_EHDR
  for index in stride(from: 0, to: max(0, count) / 8 - 1, by: 2) where vector[index] == sharedObject {
    var bytes = [UInt8](repeating: 0, count: 4096)
    for page in 0..<4 as Range<UInt64> {
      let address = vector[index + 1] &+ page * 4096
      let got = cl_process_read(process, address, &bytes, bytes.count)
      guard got > 1 else { break }
      let offset = cl_find_call_instruction(&bytes, Int(got))
      if offset >= 0 { return address &+ UInt64(offset) }
    }
  }
  return 0
}
