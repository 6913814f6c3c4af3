import Glibc

/// A name for a trace that is gone when the value ends.
struct TemporaryTraceFile: ~Copyable {
  let path: String

  /// - Throws: ``TraceError`` when the directory for temporary files cannot be written.
  init() throws(TraceError) {
    let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(directory)/faultline-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress.unsafelyUnwrapped) }
    guard descriptor >= 0 else { throw TraceError.unwritable(path: path, errno: errno) }
    close(descriptor)
  }

  deinit { unlink(path) }
}
