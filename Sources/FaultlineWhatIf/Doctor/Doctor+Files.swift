import CLinux
import Glibc

extension Doctor {
  /// What depends on the file system of `directory`.
  static func fileFindings(_ directory: String) -> [Finding] {
    var findings: [Finding] = []
    let scratch = ScratchFile(pages: 512, in: [directory, "/var/tmp", "/tmp"])
    findings.append(faultAround(scratch))
    findings.append(readahead(directory))
    findings.append(hugePages())
    findings.append(directAccess(scratch, directory))
    return findings
  }

  /// The fault-around window of this kernel in bytes, seen from the faults of a walk over resident pages. The setting
  /// itself is in debugfs, which most people may not read. Nil when no temporary file can be made.
  public static func measuredFaultAroundBytes(directory: String) -> UInt64? {
    guard let file = ScratchFile(pages: 512, in: [directory, "/var/tmp", "/tmp"]) else { return nil }
    return measuredWindow(file)
  }

  private static func measuredWindow(_ file: borrowing ScratchFile) -> UInt64? {
    guard let mapping = ScratchMapping(file), file.residentPages() == file.pages else { return nil }
    let before = threadMinorFaults()
    for page in 0..<file.pages { mapping.touch(page: page) }
    let faults = threadMinorFaults() - before
    // The window is a power of two, and stray faults of this thread can only add to the count.
    let pages = file.pages / max(1, min(faults, file.pages))
    return UInt64(ScratchFile.pageBytes) << UInt64(pages.nextPowerOfTwoExponent)
  }

  private static func threadMinorFaults() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(1), &usage)  // RUSAGE_THREAD, hidden behind _GNU_SOURCE
    return usage.ru_minflt
  }

  private static func faultAround(_ scratch: borrowing ScratchFile?) -> Finding {
    let window: UInt64? =
      switch scratch {
      case .some(let file): measuredWindow(file)
      case .none: nil
      }
    guard let window else {
      return Finding(
        key: "faultAround", title: "fault-around", state: .missing,
        detail: "no temporary file could be made to measure it",
        remedy: "a writable directory, here or in /var/tmp or /tmp")
    }
    return Finding(
      key: "faultAround", title: "fault-around", state: .fact,
      detail: window == 4096 ? "off (measured)" : "\(ByteSize.format(window)) (measured)",
      remedy: window == Policy.defaultFaultAroundBytes
        ? nil : "--verify expects the kernel's default: write 65536 to fault_around_bytes in debugfs")
  }

  private static func readahead(_ directory: String) -> Finding {
    guard let fileSystem = HostFileSystem(of: directory) else {
      return Finding(
        key: "readahead", title: "readahead", state: .missing, detail: "\(directory) cannot be looked at",
        remedy: "a directory that exists")
    }
    let bytes = fileSystem.readAheadKB.map { ByteSize.format(UInt64(clamping: $0) &* 1024) } ?? "none"
    return Finding(
      key: "readahead", title: "readahead", state: .fact,
      detail: "\(bytes) (\(fileSystem.type.isEmpty ? "unknown file system" : fileSystem.type) here)")
  }

  private static func hugePages() -> Finding {
    let anonymous = HostText.choice("/sys/kernel/mm/transparent_hugepage/enabled")
    let shared = HostText.choice("/sys/kernel/mm/transparent_hugepage/shmem_enabled")
    guard let anonymous else {
      return Finding(
        key: "hugePages", title: "huge pages", state: .missing, detail: "this kernel has no transparent huge pages",
        remedy: "a kernel with CONFIG_TRANSPARENT_HUGEPAGE")
    }
    return Finding(
      key: "hugePages", title: "huge pages", state: .fact,
      detail: "anonymous \(anonymous), shmem \(shared ?? "unknown"); recordings switch them off for the program")
  }

  private static func directAccess(_ scratch: borrowing ScratchFile?, _ directory: String) -> Finding {
    let result: Int32 =
      switch scratch {
      case .some(let file): cl_probe_synchronous_mapping(file.descriptor)
      case .none: -ENOENT
      }
    return Finding(
      key: "dax", title: "DAX", state: result < 0 ? .missing : .works,
      detail: result < 0
        ? "no MAP_SYNC on this file system: \(systemErrorText(-result))" : "MAP_SYNC works here",
      remedy: result < 0 ? "persistent memory in fsdax mode, mounted with -o dax" : nil)
  }
}

extension Int {
  /// The exponent of the power of two nearest above or equal.
  fileprivate var nextPowerOfTwoExponent: Int { self <= 1 ? 0 : Int.bitWidth - (self - 1).leadingZeroBitCount }
}
