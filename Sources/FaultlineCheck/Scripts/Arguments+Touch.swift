/// The five ways to walk over a mapping.
extension Arguments {
  /// The most accesses that one operation makes.
  static let touchLimit: Int64 = 65536

  mutating func touch() throws(ScriptError) -> TouchRequest {
    let offset = try integerOption("off")
    let mapping = try word("the name of a mapping")
    let how = try word("r or w")
    guard how == "r" || how == "w" else { throw wrong(how, expected: "r or w") }
    return TouchRequest(
      mapping: mapping, write: how == "w", pages: try touchedPages(), offset: offset ?? (how == "r" ? 0 : 64),
      isDrawn: keyword == "touchrand")
  }

  private mutating func touchedPages() throws(ScriptError) -> [Int64] {
    if keyword == "touchlist" {
      var pages: [Int64] = []
      repeat { pages.append(try integer("a page")) } while !isEmpty
      return pages
    }
    let start = try integer("a first page")
    if keyword == "touchrand" { return try drawnPages(from: start) }
    let count = try touchCount()
    let stride = keyword == "touchstride" ? try integer("a stride in pages") : 1
    let (span, tooLong) = stride.multipliedReportingOverflow(by: max(count, 1) - 1)
    if tooLong || start.addingReportingOverflow(span).overflow {
      throw outOfRange(String(stride), "page numbers have 63 bits")
    }
    let pages = (0..<count).map { start + $0 * stride }
    return keyword == "touchrev" ? pages.reversed() : pages
  }

  private mutating func drawnPages(from start: Int64) throws(ScriptError) -> [Int64] {
    let length = try integer("a number of pages")
    guard length > 0 else { throw wrong(String(length), expected: "a number of pages, at least 1") }
    if start.addingReportingOverflow(length).overflow { throw outOfRange(String(length), "page numbers have 63 bits") }
    let count = try touchCount()
    var state = UInt64(bitPattern: try integer("a seed"))
    return (0..<count).map { _ in
      state = Pattern.splitmix(state)
      return start + Int64(state % UInt64(length))
    }
  }

  private mutating func touchCount() throws(ScriptError) -> Int64 {
    let count = try integer("a number of accesses")
    guard count >= 0 else { throw wrong(String(count), expected: "a number of accesses") }
    guard count <= Self.touchLimit else {
      throw outOfRange(String(count), "one operation makes at most \(Self.touchLimit) accesses")
    }
    return count
  }
}
