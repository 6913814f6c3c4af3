/// # Text traces
///
/// Page faults of whole programs as text: what a privileged observer (`perf record` on the kernel's fault tracepoints) saw,
/// kernel-mode faults and error codes included. `docs/trace-format.md` says what the lines are.
///
/// Laws
/// 1. A text trace becomes an ordinary ``Trace``; nothing behind this folder knows where one came from.
/// 2. It is input from anywhere: a line that does not parse is an error that names the line, and nothing traps.
///
/// This folder calls `Trace/` and `Host/`.

/// A text trace, line by line.
public struct TextTrace: Sendable {
  /// What a text trace begins with.
  static let signature = Array("# page-fault trace v1".utf8)

  /// The file it came from.
  public let path: String
  /// The recorded command, as one text.
  public private(set) var command = ""
  /// `uname -r` of the recording machine; empty when it is not told.
  public private(set) var kernelRelease = ""
  /// Fault-around was off, so that every first touch of a file page is a fault.
  public private(set) var isFirstTouch = false
  /// Counted faults whose target is a page of a file.
  public private(set) var fileFaults: UInt64 = 0
  public private(set) var files: [TextTraceFileLine] = []
  public internal(set) var lines: [TextTraceLine] = []

  /// Reads a file; `nil` when it is no text trace.
  /// - Throws: ``TraceError`` when it cannot be read, ``TextTraceError`` when it is damaged.
  public init?(path: String) throws {
    guard let text = try TextTraceFile.text(path: path) else { return nil }
    self.path = path
    for (index, line) in text.split(separator: 10).enumerated() {
      if line.first == UInt8(ascii: "#") {
        note(String(decoding: line.dropFirst(), as: UTF8.self))
      } else if line.starts(with: "F ".utf8) {
        guard let file = TextTraceFileLine(line) else { throw TextTraceError.badLine(path: path, number: index + 1) }
        files.append(file)
      } else {
        guard let line = TextTraceLine(line) else { throw TextTraceError.badLine(path: path, number: index + 1) }
        if case .fault(let fault) = line, fault.isCounted, fault.target != nil { fileFaults += 1 }
        lines.append(line)
      }
    }
  }

  private mutating func note(_ comment: String) {
    let parts = comment.split(separator: ":", maxSplits: 1).map { $0.drop { $0 == " " } }
    guard parts.count == 2 else { return }
    switch parts[0] {
    case "command": command = String(parts[1])
    case "kernel": kernelRelease = String(parts[1])
    case "fault-around": isFirstTouch = parts[1].hasPrefix("off")
    default: break
    }
  }
}

/// Why a text trace cannot be used.
public enum TextTraceError: Error, Equatable, CustomStringConvertible {
  /// The compressed file does not unfold.
  case damagedGzip(path: String)
  /// A line, counted from 1, is not one of the format.
  case badLine(path: String, number: Int)
  /// The trace was made with fault-around on, so first touches of neighbours are not in it.
  case notFirstTouch(path: String)

  public var description: String {
    switch self {
    case .damagedGzip(let path): "'\(path)' is cut or damaged: its compressed content does not unfold"
    case .badLine(let path, let number):
      "line \(number) of '\(path)' is not a line of a page-fault trace: see docs/trace-format.md"
    case .notFirstTouch(let path):
      "'\(path)' was recorded with fault-around on, so touches of neighbours are missing: give the first-touch trace of the same command too"
    }
  }
}
