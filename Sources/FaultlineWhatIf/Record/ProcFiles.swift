import Glibc

/// The lines of a file of `/proc` or `/sys`; none when it cannot be read.
func textLines(_ path: String) -> [Substring] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return [] }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = read(descriptor, &chunk, chunk.count)
    if count < 0, errno == EINTR { continue }
    guard count > 0 else { break }
    bytes += chunk[..<count]
  }
  return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
}

/// Where a symbolic link leads; nil when it is none.
func linkTarget(_ path: String) -> String? {
  var bytes = [UInt8](repeating: 0, count: 4096)
  let count = bytes.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
  return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
}

/// A file mapping in `/proc/PID/maps`.
struct ProcMapping {
  var addresses: Range<UInt64>
  var protection: TraceProtection
  var isShared: Bool
  var offset: UInt64
  var path: String

  static func all(of process: Int32) -> [ProcMapping] {
    textLines("/proc/\(process)/maps").compactMap(ProcMapping.init)
  }

  /// Nil for anonymous memory.
  private init?(_ line: Substring) {
    let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
    guard fields.count == 6, fields[4] != "0", let offset = UInt64(fields[2], radix: 16) else { return nil }
    let ends = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
    guard ends.count == 2, ends[0] < ends[1] else { return nil }
    addresses = ends[0]..<ends[1]
    protection = []
    if fields[1].contains("r") { protection.insert(.read) }
    if fields[1].contains("w") { protection.insert(.write) }
    if fields[1].contains("x") { protection.insert(.execute) }
    isShared = fields[1].hasSuffix("s")
    self.offset = offset
    path = String(fields[5].drop { $0 == " " })
  }
}
