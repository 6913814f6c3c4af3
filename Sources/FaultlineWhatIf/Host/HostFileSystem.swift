import Glibc

/// The file system on a device, as the kernel describes it.
struct HostFileSystem: Sendable, Equatable {
  /// `ext4`, `xfs`, `tmpfs` and so on; empty when the mount is not visible.
  let type: String
  /// `read_ahead_kb` of the device, in KiB; nil when it has none.
  let readAheadKB: Int?

  /// - Parameter device: the `st_dev` of a file on it.
  init(device: UInt64) {
    let number = "\(HostFileSystem.major(device)):\(HostFileSystem.minor(device))"
    type = HostFileSystem.type(ofDevice: number) ?? ""
    readAheadKB =
      [
        "/sys/class/bdi/\(number)/read_ahead_kb", "/sys/dev/block/\(number)/queue/read_ahead_kb",
        "/sys/dev/block/\(number)/../queue/read_ahead_kb",
      ].lazy.compactMap(HostText.number).first
  }

  /// The file system of a file or directory; nil when that cannot be looked at.
  init?(of path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(device: UInt64(status.st_dev))
  }

  /// The last mount of the device is the one on top.
  private static func type(ofDevice number: String) -> String? {
    textLines("/proc/self/mountinfo").last { line in
      let fields = line.split(separator: " ", maxSplits: 3)
      return fields.count > 2 && fields[2] == number
    }.flatMap { line in
      let fields = line.split(separator: " ")
      guard let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { return nil }
      return String(fields[dash + 1])
    }
  }

  // The macros of <sys/sysmacros.h>, which Swift does not import.
  private static func major(_ device: UInt64) -> UInt64 { (device >> 8) & 0xFFF | (device >> 32) & ~0xFFF }
  private static func minor(_ device: UInt64) -> UInt64 { device & 0xFF | (device >> 12) & ~0xFF }
}
