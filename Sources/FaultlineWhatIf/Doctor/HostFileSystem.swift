import Glibc

/// The file system that a path lies on, as the kernel describes it.
public struct HostFileSystem: Sendable, Equatable {
  /// `ext4`, `xfs`, `tmpfs` and so on; `unknown` when the mount is not visible.
  public let type: String
  /// Readahead of its device in bytes (`read_ahead_kb`); nil when it has none.
  public let readaheadBytes: UInt64?

  /// Looks at `path`, which may be a file or a directory. Nil when it does not exist.
  public init?(of path: String) {
    var info = stat()
    guard stat(path, &info) == 0 else { return nil }
    let device = "\(HostFileSystem.major(info.st_dev)):\(HostFileSystem.minor(info.st_dev))"
    type = HostFileSystem.type(ofDevice: device) ?? "unknown"
    readaheadBytes = HostText.number("/sys/class/bdi/\(device)/read_ahead_kb").map { $0 &* 1024 }
  }

  private static func type(ofDevice device: String) -> String? {
    guard let table = HostText.read("/proc/self/mountinfo") else { return nil }
    for line in table.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 2, fields[2] == device, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else {
        continue
      }
      return String(fields[dash + 1])
    }
    return nil
  }

  // The macros of <sys/sysmacros.h>, which Swift does not import.
  private static func major(_ device: dev_t) -> UInt64 {
    ((UInt64(device) >> 8) & 0xFFF) | ((UInt64(device) >> 32) & ~0xFFF)
  }

  private static func minor(_ device: dev_t) -> UInt64 {
    (UInt64(device) & 0xFF) | ((UInt64(device) >> 12) & ~0xFF)
  }
}
