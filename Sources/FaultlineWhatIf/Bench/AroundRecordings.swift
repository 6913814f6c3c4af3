/// The traces given to `bench around`, each with the name that tables call it by.
struct AroundRecordings {
  struct Recording {
    let name: String
    let trace: Trace
    /// What the kernel counted when the same command ran with fault-around on.
    let recordedFaults: UInt64?
  }

  /// In the order in which they were given.
  private(set) var all: [Recording] = []

  /// - Throws: ``TraceError``, ``TextTraceError``.
  init(_ paths: [String]) throws {
    let texts = try paths.map { try TextTrace(path: $0) }
    let counted = texts.compactMap { $0 }.filter { !$0.isFirstTouch }
    for (path, text) in zip(paths, texts) {
      let name = AroundRecordings.name(of: path)
      guard let text else {
        all.append(Recording(name: name, trace: try Trace(path: path), recordedFaults: nil))
        continue
      }
      guard text.isFirstTouch else { continue }
      let other = counted.first { $0.command == text.command }
      let placed = other.map { text.placed(as: $0) } ?? text
      all.append(Recording(name: name, trace: try placed.imported(), recordedFaults: other?.fileFaults))
    }
    let used = Set(texts.compactMap { $0 }.filter(\.isFirstTouch).map(\.command))
    if let alone = counted.first(where: { !used.contains($0.command) }) {
      throw TextTraceError.notFirstTouch(path: alone.path)
    }
  }

  /// The last part of the path without what follows its first dot.
  private static func name(of path: String) -> String {
    let last = path.split(separator: "/").last.map(String.init) ?? path
    return last.split(separator: ".").first.map(String.init) ?? last
  }
}
