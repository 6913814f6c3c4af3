import Glibc

/// Costs of events on this machine, measured in well under a second on a nameless temporary file.
public struct CalibratedCostModel: CostModel {
  public let costs: EventCosts

  private static let pages = 8192
  private static let windowPages = 16

  /// Measures beside the files in question.
  ///
  /// - Parameter directories: places on the file system to measure, best first; the first that allows a file is used.
  ///   The file has no name and takes 32 MiB until the measurement ends.
  /// - Returns: nil when no directory allows a file, or its pages cannot be mapped.
  public init?(directories: [String]) {
    guard let file = ScratchFile(pages: Self.pages, in: directories) else { return nil }
    guard let crowded = CalibratedCostModel.faultNanoseconds(file) else { return nil }
    // With one resident page to a window, the same faults find nothing around them.
    for window in stride(from: 0, to: Self.pages, by: Self.windowPages) {
      file.drop(page: window + 1, count: Self.windowPages - 1)
    }
    let thinned = file.residentPages() <= Self.pages / 8
    let alone = thinned ? CalibratedCostModel.faultNanoseconds(file) ?? crowded : crowded
    file.drop(page: 0, count: Self.pages)
    let isDropped = file.residentPages() == 0
    let (request, megabyte) = isDropped ? CalibratedCostModel.readNanoseconds(file) : (0, 0)
    costs = EventCosts(
      faultNanoseconds: alone,
      mappedPageNanoseconds: max(0, crowded - alone) / Double(Self.windowPages - 1),
      readRequestNanoseconds: request, megabyteNanoseconds: megabyte,
      origin: isDropped
        ? "measured in this run on a temporary file in \(file.directory)"
        : "measured in this run; \(file.directory) keeps its files in memory, so reads cost nothing")
  }

  /// One fault in each window of the resident file: the median of several passes.
  private static func faultNanoseconds(_ file: borrowing ScratchFile) -> Double? {
    var passes: [Double] = []
    for _ in 0..<9 {
      guard let mapping = ScratchMapping(file) else { return nil }
      let start = monotonicNanoseconds()
      for page in stride(from: 0, to: pages, by: windowPages) { mapping.touch(page: page) }
      passes.append(Double(monotonicNanoseconds() - start) / Double(pages / windowPages))
    }
    return passes.sorted()[passes.count / 2]
  }

  /// A request and a megabyte, told apart by reading once in single pages and once in a stream.
  private static func readNanoseconds(_ file: borrowing ScratchFile) -> (request: Double, megabyte: Double) {
    let page = ScratchFile.pageBytes
    let chunk = 1 << 20
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: chunk, alignment: page)
    defer { buffer.deallocate() }
    posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_RANDOM)
    var single: [Double] = []
    for step in 0..<64 {
      let start = monotonicNanoseconds()
      pread(file.descriptor, buffer, page, off_t((step &* 997 % pages) * page))
      single.append(Double(monotonicNanoseconds() - start))
    }
    let smallest = single.sorted()[single.count / 2]
    posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_NORMAL)
    var streams: [Double] = []
    for _ in 0..<3 {
      file.drop(page: 0, count: pages)
      let start = monotonicNanoseconds()
      for offset in stride(from: 0, to: pages * page, by: chunk) {
        pread(file.descriptor, buffer, chunk, off_t(offset))
      }
      streams.append(Double(monotonicNanoseconds() - start))
    }
    // The fastest: whatever else runs on the machine can only slow a stream down.
    let megabyte = (streams.min() ?? 0) / (Double(pages * page) / 1e6)
    return (max(0, smallest - megabyte * Double(page) / 1e6), megabyte)
  }
}
