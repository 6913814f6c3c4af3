import CLinux
import Faultline
import Glibc

/// The system calls of the scripts, measured one at a time.
enum KernelCall {
  static let map = Int64(CL_SYS_MMAP)
  static let unmap = Int64(CL_SYS_MUNMAP)
  static let protect = Int64(CL_SYS_MPROTECT)
  static let remap = Int64(CL_SYS_MREMAP)
  static let adviseMemory = Int64(CL_SYS_MADVISE)
  static let syncMemory = Int64(CL_SYS_MSYNC)
  static let lock = Int64(CL_SYS_MLOCK2)
  static let unlock = Int64(CL_SYS_MUNLOCK)
  static let truncate = Int64(CL_SYS_FTRUNCATE)
  static let allocate = Int64(CL_SYS_FALLOCATE)
  static let advise = Int64(CL_SYS_FADVISE)
  static let readAhead = Int64(CL_SYS_READAHEAD)
  static let sync = Int64(CL_SYS_FSYNC)
  static let syncData = Int64(CL_SYS_FDATASYNC)
  static let close = Int64(CL_SYS_CLOSE)
  static let read = Int64(CL_SYS_PREAD)
  static let write = Int64(CL_SYS_PWRITE)
  static let remoteRead = Int64(CL_SYS_PROCESS_READ)
  static let remoteWrite = Int64(CL_SYS_PROCESS_WRITE)
  static let splice = Int64(CL_SYS_VMSPLICE)

  /// Makes one call and tells its result and its faults. At most six arguments, as the call takes them.
  static func measured(_ number: Int64, _ arguments: UInt64...) -> Outcome { measured(number, arguments) }

  static func measured(_ number: Int64, _ arguments: [UInt64]) -> Outcome {
    var measured = cl_measured()
    let all = arguments + [UInt64](repeating: 0, count: max(0, 6 - arguments.count))
    all.withUnsafeBufferPointer { cl_measured_call(number, $0.baseAddress, &measured) }
    var outcome = Outcome()
    if measured.result < 0 { outcome.fail(error(Int32(truncatingIfNeeded: -measured.result))) }
    if measured.result > 0 { outcome.returned = measured.result }
    outcome.minorFaults = UInt64(clamping: measured.minor)
    outcome.majorFaults = UInt64(clamping: measured.major)
    return outcome
  }

  static func failed(_ code: Int32) -> Outcome { .failed(error(code)) }

  static func errnoName(_ code: Int32) -> String { String(cString: cl_errno_name(code)) }

  private static func error(_ code: Int32) -> Errno { Errno(code: code, name: errnoName(code)) }

  static func address(_ pointer: UnsafeRawPointer) -> UInt64 { UInt64(UInt(bitPattern: pointer)) }
}
