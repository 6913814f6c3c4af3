import Glibc
import Testing

@testable import FaultlineWhatIf

/// The program that the tests record, built beside them.
let toucher = builtProgram("faultline-toucher")

/// A program of this package, built beside the tests.
func builtProgram(_ name: String) -> String {
  let own = linkTarget("/proc/self/exe") ?? ""
  let folders = [own, CommandLine.arguments.first ?? ""].map {
    $0.split(separator: "/").dropLast().joined(separator: "/")
  }
  for folder in folders + testBundleFolders() where access("/\(folder)/\(name)", X_OK) == 0 {
    return "/\(folder)/\(name)"
  }
  return name
}

/// The test code is a library of its own when a helper of the package manager runs it.
private func testBundleFolders() -> [String] {
  ProcMapping.all(of: getpid()).map(\.path).filter { $0.contains("PackageTests") }
    .map { $0.split(separator: "/").dropLast().joined(separator: "/") }
}

/// What a trace holds, in the form that tests ask for.
struct TraceContent {
  var touches: [TraceTouch] = []
  var records: [TraceRecord] = []

  init(_ path: String) throws {
    var cursor = try Trace(path: path).makeCursor()
    while !cursor.isAtEnd {
      if let touch = cursor.nextTouch() {
        touches.append(touch)
      } else if let record = cursor.nextRecord() {
        records.append(record)
      }
    }
  }

  func file(_ path: String) -> TraceFile? {
    for record in records { if case .file(let file) = record.event, file.path == path { return file } }
    return nil
  }

  /// The mappings of a file, in order.
  func mappings(of path: String) -> [TraceMapping] {
    records.compactMap { record in
      guard case .map(let mapping) = record.event, mapping.file == file(path)?.id else { return nil }
      return mapping
    }
  }

  /// The file pages touched through one mapping, in order; only good while nothing else is mapped there.
  func filePages(in mapping: TraceMapping) -> [(page: UInt64, touch: TraceTouch)] {
    touches.compactMap { touch in
      guard touch.page >= mapping.range.page, touch.page < mapping.range.page + mapping.range.pages else { return nil }
      return (touch.page - mapping.range.page + mapping.filePage, touch)
    }
  }

  var scans: [TraceScan] {
    records.compactMap { if case .scan(let scan) = $0.event { scan } else { nil } }
  }
}

extension ScratchFile {
  /// A file of this many pages, written in large pieces so that its folios can be large.
  static func filled(pages: Int) -> ScratchFile {
    let file = ScratchFile("data")
    let piece = [UInt8](repeating: 1, count: 4 << 20)
    let descriptor = open(file.path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    defer { close(descriptor) }
    var left = pages * Int(getpagesize())
    while left > 0 {
      let count = Glibc.write(descriptor, piece, min(left, piece.count))
      guard count > 0 else { break }
      left -= count
    }
    return file
  }

  /// Takes the file out of the page cache.
  func drop() {
    let descriptor = open(path, O_RDONLY)
    defer { close(descriptor) }
    fsync(descriptor)
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
  }
}
