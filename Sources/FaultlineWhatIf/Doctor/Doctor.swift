import CLinux
import Glibc

/// Looks at the machine and says which parts of Faultline work here, as the current user, and why others do not.
///
/// Every probe undoes what it did; none needs privileges.
public enum Doctor {
  /// Examines the machine and the file system of `directory`.
  public static func examine(directory: String = ".") -> [Finding] {
    var findings = [kernel(), pageSize(), userfaultfd(), userModeFaultfd(), asyncWriteProtect()]
    findings += [sampling(), ptrace()]
    findings += fileFindings(directory)
    return findings
  }

  /// Whether recordings that see every first touch can be made here.
  public static func canRecord(_ findings: [Finding]) -> Bool {
    findings.allSatisfy { finding in
      finding.state != .missing
        || !["userfaultfdUserMode", "userfaultfdWPAsync", "perfEvents", "ptrace"].contains(finding.key)
    }
  }

  private static func kernel() -> Finding {
    var name = utsname()
    uname(&name)
    let release = HostText.read("/proc/sys/kernel/osrelease") ?? "unknown"
    let machine = withUnsafeBytes(of: &name.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return Finding(key: "kernel", title: "kernel", state: .fact, detail: "Linux \(release), \(machine)")
  }

  private static func pageSize() -> Finding {
    let bytes = sysconf(Int32(_SC_PAGESIZE))
    return Finding(
      key: "pageSize", title: "page size", state: bytes == 4096 ? .works : .missing, detail: "\(bytes) bytes",
      remedy: bytes == 4096 ? nil : "the engine's rules are those of 4096-byte pages")
  }

  private static func userfaultfd() -> Finding {
    var features: UInt64 = 0
    let result = cl_probe_userfaultfd(0, &features)
    guard result < 0 else {
      return Finding(
        key: "userfaultfd", title: "userfaultfd", state: .works, detail: "also for faults inside the kernel")
    }
    return Finding(
      key: "userfaultfd", title: "userfaultfd", state: result == -EPERM ? .limited : .missing,
      detail: "not for faults inside the kernel: \(systemErrorText(-result))",
      remedy: result == -EPERM
        ? "only serving live mappings needs it: root, CAP_SYS_PTRACE or sysctl vm.unprivileged_userfaultfd=1"
        : "a kernel with CONFIG_USERFAULTFD")
  }

  private static func userModeFaultfd() -> Finding {
    var features: UInt64 = 0
    let result = cl_probe_userfaultfd(1, &features)
    return Finding(
      key: "userfaultfdUserMode", title: "userfaultfd, user mode only", state: result < 0 ? .missing : .works,
      detail: result < 0 ? systemErrorText(-result) : "features 0x\(String(features, radix: 16))",
      remedy: result < 0
        ? "Linux 5.11 or later with CONFIG_USERFAULTFD, outside a sandbox that filters the call; --coarse records without"
        : nil)
  }

  private static func asyncWriteProtect() -> Finding {
    let result = cl_probe_async_write_protect()
    return Finding(
      key: "userfaultfdWPAsync", title: "userfaultfd, WP_ASYNC", state: result < 0 ? .missing : .works,
      detail: result < 0 ? systemErrorText(-result) : "recordings see every first touch",
      remedy: result < 0 ? "Linux 6.7 or later; --coarse records without" : nil)
  }

  private static func sampling() -> Finding {
    let paranoia = HostText.read("/proc/sys/kernel/perf_event_paranoid") ?? "unknown"
    let user = cl_probe_fault_sampling(0)
    guard user >= 0 else {
      return Finding(
        key: "perfEvents", title: "page-fault events", state: .missing,
        detail: "\(systemErrorText(-user)) (perf_event_paranoid \(paranoia))",
        remedy: "sysctl kernel.perf_event_paranoid=2, or CAP_PERFMON")
    }
    let kernel = cl_probe_fault_sampling(1) >= 0
    return Finding(
      key: "perfEvents", title: "page-fault events", state: .works,
      detail:
        "faults of \(kernel ? "programs and of the kernel on their behalf" : "programs; the kernel's show as untimed")"
        + " (perf_event_paranoid \(paranoia))")
  }

  private static func ptrace() -> Finding {
    let result = cl_probe_ptrace()
    return Finding(
      key: "ptrace", title: "ptrace", state: result < 0 ? .missing : .works,
      detail: result < 0 ? systemErrorText(-result) : "children can be traced",
      remedy: result < 0 ? "sysctl kernel.yama.ptrace_scope below 3, outside a sandbox that filters the call" : nil)
  }
}
