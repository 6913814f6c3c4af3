import Faultline

/// Where the kernel of a recording had the blocks of its files, as the `extents` lines tell it.
///
/// The place decides between one entry for 2 MiB and single ones, and no engine could guess it.
public struct RecordedPlacement: Sendable {
  private struct Extent {
    /// Of the script: where the kernel was asked.
    let line: Int64
    let file: String
    let pages: Range<UInt64>
    /// The first page on the device, modulo 512.
    let residue: UInt64
  }

  private var extents: [Extent] = []

  /// Nothing is known; every place is as good as another.
  public init() {}

  public init(_ recording: Recording) {
    for result in recording.results {
      guard let words = result["op"]?.stringValue?.split(separator: " "), words.count > 1,
        case .array(let rows) = result["extents"]
      else { continue }
      let line = result["i"]?.integerValue ?? 0
      extents += rows.compactMap { Self.extent($0, of: String(words[1]), line) }
    }
  }

  private static func extent(_ row: JSONValue, of file: String, _ line: Int64) -> Extent? {
    guard case .array(let fields) = row, fields.count >= 3,
      let first = fields[0].integerValue.flatMap(UInt64.init(exactly:)), first < 1 << 52,
      let count = fields[1].integerValue.flatMap(UInt64.init(exactly:)), count < 1 << 52,
      let residue = fields[2].integerValue.flatMap(UInt64.init(exactly:))
    else { return nil }
    return Extent(line: line, file: file, pages: first..<first + count, residue: residue % PageSize.entriesPerTable)
  }

  /// The page of the device, modulo 512, on which a page of a file lay when the kernel was asked next, or before if it was not
  /// asked again; `nil` when it never was.
  public func place(of page: UInt64, in file: String, atLine line: Int64) -> UInt64? {
    let known = extents.filter { $0.file == file && $0.pages.contains(page) }
    guard let extent = known.first(where: { $0.line >= line }) ?? known.last else { return nil }
    return (extent.residue + page - extent.pages.lowerBound) % PageSize.entriesPerTable
  }
}

/// The line of the script that runs, for those who are asked from below.
final class ScriptLine: Sendable {
  private let word = AtomicWord(0)

  var number: Int64 {
    get { Int64(bitPattern: word.load(ordering: .relaxed)) }
    set { word.store(UInt64(bitPattern: newValue), ordering: .relaxed) }
  }
}
