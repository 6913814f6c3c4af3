import Faultline
import FaultlineFS

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

  /// In the order of the recording.
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
      let first = fields[0].integerValue.flatMap(UInt64.init(exactly:)), first < pages,
      let count = fields[1].integerValue.flatMap(UInt64.init(exactly:)), count < pages,
      let residue = fields[2].integerValue.flatMap(UInt64.init(exactly:))
    else { return nil }
    return Extent(line: line, file: file, pages: first..<first + count, residue: residue % PageSize.entriesPerTable)
  }

  /// More than any file has.
  private static let pages: UInt64 = 1 << 51

  /// Where the pages of a file lie at a line of the script: where they lay when the kernel was asked next, or before if
  /// it was not asked again.
  ///
  /// - Parameter askew: the pages that lie off the multiples of 2 MiB where the kernel never told of them.
  public func placement(of file: String, atLine line: Int64, askew: Range<UInt64>) -> Placement {
    let known = extents.filter { $0.file == file }
    let nearest = known.filter { $0.line >= line } + known.filter { $0.line < line }.reversed()
    var open = [0..<2 * Self.pages]
    var runs: [Placement.Run] = []
    for extent in nearest {
      var left: [Range<UInt64>] = []
      for gap in open {
        let pages = gap.clamped(to: extent.pages)
        guard !pages.isEmpty else {
          left.append(gap)
          continue
        }
        runs.append(.init(pages: pages, residue: extent.residue + (pages.lowerBound - extent.pages.lowerBound)))
        left += [gap.lowerBound..<pages.lowerBound, pages.upperBound..<gap.upperBound].filter { !$0.isEmpty }
      }
      open = left
    }
    let guesses = open.flatMap { gap in
      let off = askew.clamped(to: gap)
      return [gap.lowerBound..<off.lowerBound, off.upperBound..<gap.upperBound].map { ($0, $0.lowerBound) } + [
        (off, off.lowerBound + 1)
      ]
    }
    return Placement(runs + guesses.filter { !$0.0.isEmpty }.map { .init(pages: $0.0, residue: $0.1) })
  }
}

/// A file of a script that lies on a device.
struct PlacedFile {
  let file: ExtentFile
  /// The script's, when the file was made.
  let name: String
  /// See ``RecordedPlacement/placement(of:atLine:askew:)``.
  let askew: Range<UInt64>

  func follow(_ placement: RecordedPlacement, atLine line: Int64) {
    file.setPlacement(placement.placement(of: name, atLine: line, askew: askew))
  }
}
