import Glibc

/// Writes a trace, record by record, through a buffer of its own.
///
/// One thread at a time. A write that fails is remembered and thrown by ``finish()``: the recorder cannot stop in the middle of a
/// program because a disk is full.
public final class TraceWriter {
  private let path: String
  private var descriptor: Int32
  private var buffer: UnsafeMutableRawBufferPointer
  private var used = 0
  private var failure: Int32 = 0
  /// Touches written, timed and untimed.
  public private(set) var touches = 0
  public private(set) var untimed = 0

  /// Creates the file, or empties it. `start` is CLOCK_MONOTONIC in nanoseconds: the zero of all times in the trace.
  /// - Throws: ``TraceError/unwritable(path:errno:)``.
  public init(path: String, start: UInt64, pageSize: Int, coarse: Bool = false) throws(TraceError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .unwritable(path: path, errno: errno) }
    buffer = .allocate(byteCount: 1 << 18, alignment: 8)
    word(TraceFormat.magic)
    word(UInt64(TraceFormat.version) | UInt64(TraceFormat.headerBytes) << 32)
    word(UInt64(UInt32(truncatingIfNeeded: pageSize)) | UInt64(coarse ? TraceFormat.coarseFlag : 0) << 32)
    word(start)
    for _ in 0..<4 { word(0) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    buffer.deallocate()
  }

  public func write(_ touch: TraceTouch) {
    reserve(TraceFormat.headBytes)
    word(touch.word)
    word(touch.time)
    touches += 1
    if touch.isUntimed { untimed += 1 }
  }

  public func write(_ event: TraceEvent, task: Int, time: UInt64) {
    let (kind, words) = event.encoded()
    let bytes = TraceFormat.headBytes + words.count * 8
    guard bytes <= TraceFormat.maximumRecordBytes else {
      return write(.warning("a record of \(bytes) bytes was left out: too long"), task: task, time: time)
    }
    reserve(min(bytes, buffer.count))
    word(UInt64(kind.rawValue) | UInt64(UInt16(truncatingIfNeeded: task)) << 12 | UInt64(bytes / 8) << 28)
    word(time)
    for value in words { word(value) }
  }

  /// Writes out what is buffered and closes the file.
  /// - Throws: ``TraceError/unwritable(path:errno:)`` when any write of this trace failed.
  public func finish() throws(TraceError) {
    flush()
    if descriptor >= 0, close(descriptor) != 0, failure == 0 { failure = errno }
    descriptor = -1
    guard failure == 0 else { throw .unwritable(path: path, errno: failure) }
  }

  /// Writes out what is buffered: after it, everything so far survives the end of this process.
  public func flush() {
    var done = 0
    while done < used, failure == 0 {
      let count = Glibc.write(descriptor, buffer.baseAddress! + done, used - done)
      if count >= 0 { done += count } else if errno != EINTR { failure = errno }
    }
    used = 0
  }

  /// Keeps a short record in one piece: a reader of a growing file then sees it whole or not at all.
  private func reserve(_ bytes: Int) {
    if used + bytes > buffer.count { flush() }
  }

  private func word(_ value: UInt64) {
    if used + 8 > buffer.count { flush() }
    buffer.storeBytes(of: value.littleEndian, toByteOffset: used, as: UInt64.self)
    used += 8
  }
}
