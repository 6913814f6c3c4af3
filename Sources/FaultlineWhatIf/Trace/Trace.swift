import Glibc

/// A trace in memory, checked: every record up to ``recordBytes`` decodes, every touch names a declared task.
///
/// Immutable, so any number of threads may hold cursors into it.
public final class Trace: Sendable {
  /// The file that it came from.
  public let path: String
  public let pageSize: Int
  /// The kernel's own fault-around was on while recording: a touch stands for a fault, its neighbours' touches are not seen.
  public let isCoarse: Bool
  /// CLOCK_MONOTONIC at time zero, in nanoseconds.
  public let start: UInt64
  /// Timed and untimed touches.
  public let touches: Int
  public let untimed: Int
  /// What is wrong with the file that does not keep it from being used: a cut, damage behind the last good record.
  public let warnings: [String]
  /// Bytes of the records that can be read, the header not counted.
  public let recordBytes: Int
  /// Allocated by `init`, never written afterwards, freed by `deinit`: safe to share.
  nonisolated(unsafe) private let bytes: UnsafeMutableRawBufferPointer

  /// Reads and checks a file.
  /// - Throws: ``TraceError`` when it is not readable as a trace; a cut is a warning.
  public init(path: String) throws(TraceError) {
    let content = try readAll(path)
    do throws(TraceError) {
      let header = try TraceHeader(content, path: path)
      var check = TraceCheck()
      let end = check.run(UnsafeRawBufferPointer(rebasing: content[header.bytes...]))
      if end == 0 { throw .empty(path: path) }
      self.path = path
      pageSize = header.pageSize
      isCoarse = header.isCoarse
      start = header.start
      touches = check.touches
      untimed = check.untimed
      warnings = check.warnings
      recordBytes = end
      first = header.bytes
      bytes = content
    } catch {
      content.deallocate()
      throw error
    }
  }

  deinit { bytes.deallocate() }

  private let first: Int

  /// Reads the records from the first one on.
  public func makeCursor() -> TraceCursor {
    TraceCursor(records: UnsafeRawBufferPointer(rebasing: bytes[first..<(first + recordBytes)]), owner: self)
  }
}

private struct TraceHeader {
  var bytes: Int
  var pageSize: Int
  var isCoarse: Bool
  var start: UInt64

  init(_ content: UnsafeMutableRawBufferPointer, path: String) throws(TraceError) {
    func word(_ index: Int) -> UInt64 { UInt64(littleEndian: content.load(fromByteOffset: index * 8, as: UInt64.self)) }
    if content.isEmpty { throw .empty(path: path) }
    guard content.count >= TraceFormat.headerBytes, word(0) == TraceFormat.magic else { throw .notATrace(path: path) }
    let version = UInt32(truncatingIfNeeded: word(1))
    guard version == TraceFormat.version else { throw .otherVersion(path: path, found: version) }
    bytes = Int(word(1) >> 32)
    pageSize = Int(word(2) & 0xFFFF_FFFF)
    guard bytes >= TraceFormat.headerBytes, bytes % 8 == 0, bytes <= content.count, pageSize >= 512,
      pageSize & (pageSize - 1) == 0
    else { throw .notATrace(path: path) }
    isCoarse = UInt32(word(2) >> 32) & TraceFormat.coarseFlag != 0
    start = word(3)
  }
}

/// The one pass over the records that lets cursors go without checks.
private struct TraceCheck {
  var touches = 0
  var untimed = 0
  var warnings: [String] = []
  private var tasks = 0
  private var ended = false

  /// The bytes of the good records from the start on.
  mutating func run(_ records: UnsafeRawBufferPointer) -> Int {
    var offset = 0
    while offset < records.count {
      guard offset + TraceFormat.headBytes <= records.count else { break }
      let word = UInt64(littleEndian: records.load(fromByteOffset: offset, as: UInt64.self))
      let kind = UInt8(truncatingIfNeeded: word)
      let bytes = kind < TraceFormat.firstEventKind ? TraceFormat.headBytes : Int((word >> 28) & 0xFF_FFFF) * 8
      guard bytes >= TraceFormat.headBytes, checkTouch(word, kind) else {
        return damaged(at: offset, of: records.count)
      }
      guard bytes <= records.count - offset else { break }
      if kind >= TraceFormat.firstEventKind {
        let payload = UnsafeRawBufferPointer(rebasing: records[(offset + TraceFormat.headBytes)..<(offset + bytes)])
        guard checkEvent(kind, payload.bindMemory(to: UInt64.self)) else {
          return damaged(at: offset, of: records.count)
        }
      }
      offset += bytes
    }
    if offset < records.count || !ended {
      warnings.append("the trace is cut: what happened after byte \(offset + TraceFormat.headerBytes) is missing")
    }
    return offset
  }

  private mutating func checkTouch(_ word: UInt64, _ kind: UInt8) -> Bool {
    guard kind < TraceFormat.firstEventKind else { return true }
    let touch = TraceTouch(word: word, time: 0)
    guard TraceTouch.Kind(rawValue: kind) != nil, (word >> 8) & 0xF <= 2, touch.task < tasks else { return false }
    touches += 1
    if touch.isUntimed { untimed += 1 }
    return true
  }

  /// A kind that this version does not know is skipped by its length.
  private mutating func checkEvent(_ raw: UInt8, _ payload: UnsafeBufferPointer<UInt64>) -> Bool {
    guard let kind = TraceEventKind(rawValue: raw) else { return true }
    guard let event = TraceEvent(kind: kind, words: payload) else { return false }
    if case .task(let task) = event { tasks = max(tasks, task.index + 1) }
    if case .end = event { ended = true }
    if case .warning(let text) = event { warnings.append(text) }
    return true
  }

  private mutating func damaged(at offset: Int, of count: Int) -> Int {
    warnings.append(
      "the trace is damaged at byte \(offset + TraceFormat.headerBytes): \(count - offset) bytes from there on are not used"
    )
    return offset
  }
}

private func readAll(_ path: String) throws(TraceError) -> UnsafeMutableRawBufferPointer {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw .unreadable(path: path, errno: errno) }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, errno: errno) }
  guard status.st_mode & S_IFMT == S_IFREG else {
    throw .unreadable(path: path, errno: status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
  }
  let size = Int(status.st_size)
  let content = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
  var done = 0
  while done < size {
    let count = pread(descriptor, content.baseAddress! + done, size - done, off_t(done))
    if count > 0 {
      done += count
    } else if count == 0 || errno != EINTR {
      let code = count == 0 ? EIO : errno
      content.deallocate()
      throw .unreadable(path: path, errno: code)
    }
  }
  return content
}
