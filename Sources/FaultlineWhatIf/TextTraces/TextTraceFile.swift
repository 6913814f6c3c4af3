import Glibc

/// Reads the bytes of a text trace, compressed or not.
enum TextTraceFile {
  /// More than the longest trace that is of use; a small file may claim to unfold into anything.
  private static let limit = 1 << 30

  /// The text of a file that is, or unfolds from gzip (RFC 1952) into, a text trace; `nil` when it is something else.
  /// - Throws: ``TraceError/unreadable(path:errno:)``, ``TextTraceError/damagedGzip(path:)``.
  static func text(path: String) throws -> [UInt8]? {
    guard let start = try bytes(path, atMost: 32) else { return nil }
    if start.starts(with: TextTrace.signature) { return try bytes(path, atMost: limit) }
    guard start.starts(with: [0x1F, 0x8B, 8]) else { return nil }
    guard let packed = try bytes(path, atMost: limit), let first = headerEnd(packed) else {
      throw TextTraceError.damagedGzip(path: path)
    }
    var inflate = Inflate(packed, from: first, limit: limit)
    guard let (text, end) = inflate.run(), isWhole(text, packed, end) else {
      throw TextTraceError.damagedGzip(path: path)
    }
    return text.starts(with: TextTrace.signature) ? text : nil
  }

  /// Where the compressed stream begins.
  private static func headerEnd(_ packed: [UInt8]) -> Int? {
    guard packed.count > 18 else { return nil }
    let flags = packed[3]
    var next = 10
    if flags & 4 != 0 { next += 2 + Int(packed[10]) + Int(packed[11]) << 8 }
    for flag in [UInt8(8), 16] where flags & flag != 0 {
      guard next < packed.count, let end = packed[next...].firstIndex(of: 0) else { return nil }
      next = end + 1
    }
    if flags & 2 != 0 { next += 2 }
    return next < packed.count ? next : nil
  }

  /// The length behind the stream is that of the text.
  private static func isWhole(_ text: [UInt8], _ packed: [UInt8], _ end: Int) -> Bool {
    guard end + 8 <= packed.count else { return false }
    let length = packed[(end + 4)..<(end + 8)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return length == UInt32(truncatingIfNeeded: text.count)
  }

  private static func bytes(_ path: String, atMost count: Int) throws(TraceError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(path: path, errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, errno: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .unreadable(path: path, errno: status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
    }
    var content = [UInt8](repeating: 0, count: min(count, Int(status.st_size)))
    var done = 0
    while done < content.count {
      let got = content.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress! + done, $0.count - done, off_t(done))
      }
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { throw .unreadable(path: path, errno: got == 0 ? EIO : errno) }
      done += got
    }
    return content
  }
}
