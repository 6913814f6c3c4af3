import Glibc

/// The short text files through which Linux tells about itself.
enum HostText {
  /// The first line or lines of `path` without the final newline, or nil when it cannot be read.
  static func read(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      guard count >= 0 else { return nil }
      if count == 0 { break }
      text += chunk[..<count]
    }
    while text.last == UInt8(ascii: "\n") { text.removeLast() }
    return String(decoding: text, as: UTF8.self)
  }

  /// The number that `path` holds.
  static func number(_ path: String) -> UInt64? { read(path).flatMap { UInt64($0) } }

  /// Processor, count of processors and kernel, for the head of measurements.
  static var machine: String {
    let model = read("/proc/cpuinfo")?.split(separator: "\n").first { $0.hasPrefix("model name") }
    let name = model?.split(separator: ":").last.map { String($0.drop { $0 == " " }) } ?? "unknown processor"
    return
      "\(name), \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) processors, Linux \(read("/proc/sys/kernel/osrelease") ?? "?")"
  }

  /// The choice in brackets of a file such as `always [madvise] never`.
  static func choice(_ path: String) -> String? {
    guard let text = read(path), let open = text.firstIndex(of: "["), let close = text.firstIndex(of: "]"), open < close
    else { return nil }
    return String(text[text.index(after: open)..<close])
  }
}
