import Glibc

/// Lines and counted bytes from a pipe.
struct LineReader: ~Copyable {
  private let descriptor: Int32
  private var pending: [UInt8] = []
  /// Where in `pending` what was not taken yet begins.
  private var start = 0

  init(descriptor: Int32) {
    self.descriptor = descriptor
  }

  /// The next line without its end; `nil` when no whole one comes any more.
  mutating func line() -> String? {
    var searched = start
    while true {
      if let end = pending[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = end + 1 }
        return String(decoding: pending[start..<end], as: UTF8.self)
      }
      searched = pending.count - start
      guard refill() else { return nil }
    }
  }

  /// Exactly `count` bytes; `nil` when fewer come.
  mutating func bytes(_ count: Int) -> String? {
    while pending.count - start < count { guard refill() else { return nil } }
    defer { start += count }
    return String(decoding: pending[start..<start + count], as: UTF8.self)
  }

  private mutating func refill() -> Bool {
    pending.removeFirst(start)
    start = 0
    let count = pending.count
    let got = withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 1) { piece in
      var got = read(descriptor, piece.baseAddress, piece.count)
      while got < 0, errno == EINTR { got = read(descriptor, piece.baseAddress, piece.count) }
      if got > 0 { pending += piece[..<got] }
      return got
    }
    return got > 0 && pending.count > count
  }
}

/// Whole lines into a pipe, each at once, so that a forked child's lines do not mix with its parent's.
struct LineWriter {
  let descriptor: Int32

  func write(_ value: JSONValue) { write(value.description + "\n") }

  /// Ends silently when nobody reads any more: there is nobody to tell.
  func write(_ text: String) {
    var bytes = ArraySlice(text.utf8)
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}
