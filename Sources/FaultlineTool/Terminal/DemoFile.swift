import Glibc

/// The file of `--demo`: made when the value begins, removed when it ends or when a signal ends the process.
struct DemoFile: ~Copyable {
  private static let bytes = 64 << 20
  private let path: String
  private let descriptor: Int32

  /// An empty file; `command()` fills it.
  init() throws {
    let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(directory)/faultline-demo-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      throw UnavailableError("no temporary file can be made in \(directory): set TMPDIR to another directory")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    RemovalOnSignal.begin(path)
  }

  deinit {
    close(descriptor)
    unlink(path)
    RemovalOnSignal.end()
  }

  /// The built-in program on this file.
  func command() throws -> [String] {
    try fill()
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink("/proc/self/exe", &buffer, buffer.count)
    guard length > 0, length < buffer.count else { throw UnavailableError("this program's own path is not known") }
    let program = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return [program, "touch", path, "order=random"]
  }
}

extension DemoFile {
  private func fill() throws {
    let chunk = [UInt8](repeating: 0x5A, count: 1 << 20)
    for _ in 0..<(DemoFile.bytes >> 20) where write(descriptor, chunk, chunk.count) != chunk.count {
      throw UnavailableError("\(path) has no room for the demo's 64 MiB: set TMPDIR to another directory")
    }
    fsync(descriptor)
  }
}

/// Removes one file when a signal ends the process. Ordinary ends remove it themselves.
private enum RemovalOnSignal {
  private static let signals = [SIGINT, SIGTERM, SIGHUP]
  /// Read by the handler, written only while no handler is installed.
  nonisolated(unsafe) private static var path: UnsafeMutablePointer<CChar>?

  static func begin(_ path: String) {
    self.path = strdup(path)
    for number in signals {
      signal(number) { number in
        // Only calls that are safe in a signal handler.
        if let path = RemovalOnSignal.path { unlink(path) }
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }

  static func end() {
    for number in signals { signal(number, SIG_DFL) }
    free(path)
    path = nil
  }
}
