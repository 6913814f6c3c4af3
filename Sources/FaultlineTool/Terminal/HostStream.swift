import Glibc

/// A file of the host, or standard input or output, read or written portion by portion.
final class HostStream {
  /// Bytes at a time.
  static let portion = 1 << 20

  private let path: String
  private let descriptor: Int32
  private let size: UInt64
  private var passed: UInt64 = 0

  /// - Parameter path: `-` is standard input.
  init(reading path: String) throws(TextFile.Failure) {
    self.path = path == "-" ? "standard input" : path
    descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0 else { throw HostStream.failure("read", path) }
    size = UInt64(max(status.st_size, 0))
  }

  /// - Parameter path: of a file that is not there; `nil` and `-` are standard output.
  init(writing path: String?) throws(TextFile.Failure) {
    let name = path == "-" ? nil : path
    self.path = name ?? "standard output"
    size = 0
    descriptor = name.map { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644) } ?? 1
    guard descriptor >= 0 else { throw HostStream.failure("make", self.path) }
  }

  deinit { if descriptor > 2 { close(descriptor) } }

  /// How much of a regular file has been read.
  var fraction: Double? { size > 0 ? Double(passed) / Double(size) : nil }

  /// The next bytes, or `nil` at the end.
  func next() throws(TextFile.Failure) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: HostStream.portion)
    var count = read(descriptor, &bytes, bytes.count)
    while count < 0, errno == EINTR { count = read(descriptor, &bytes, bytes.count) }
    guard count >= 0 else { throw HostStream.failure("read", path) }
    passed += UInt64(count)
    bytes.removeLast(bytes.count - count)
    return bytes.isEmpty ? nil : bytes
  }

  func write(_ bytes: [UInt8]) throws(TextFile.Failure) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + done, $0.count - done) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw HostStream.failure("write", path) }
      done += count
    }
  }

  /// What was written is on its way to the disk without an error so far.
  func finish() throws(TextFile.Failure) {
    guard descriptor <= 2 || fsync(descriptor) == 0 || errno == EINVAL else { throw HostStream.failure("write", path) }
  }

  private static func failure(_ verb: String, _ path: String) -> TextFile.Failure {
    TextFile.Failure(description: "cannot \(verb) \(path): \(String(cString: strerror(errno)))")
  }
}
