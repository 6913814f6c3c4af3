import Glibc

/// The short text files through which Linux tells about itself.
enum HostText {
  /// The first line of `path`, or nil when it cannot be read.
  static func read(_ path: String) -> String? { textLines(path).first.map(String.init) }

  /// The number that `path` holds.
  static func number(_ path: String) -> Int? { read(path).flatMap { Int($0) } }

  /// Processor, count of processors and kernel, for the head of measurements.
  static var machine: String {
    let model = textLines("/proc/cpuinfo").first { $0.hasPrefix("model name") }
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
