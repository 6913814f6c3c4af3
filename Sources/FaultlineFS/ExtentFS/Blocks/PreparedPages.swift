/// Pages of a file that got blocks because a neighbour was stored to, and that nobody has asked for since.
///
/// To whoever reads they are a hole still: their blocks are in no entry and may be given back at any time.
struct PreparedPages: Sendable {
  /// In the order of the file, not empty and apart.
  private(set) var runs: [Range<UInt64>] = []

  var isEmpty: Bool { runs.isEmpty }

  /// The first run that ends behind a page.
  private func index(endingAfter page: UInt64) -> Int {
    var (low, high) = (0, runs.count)
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].upperBound > page { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// The first run that holds a page or begins behind it.
  func run(from page: UInt64) -> Range<UInt64>? {
    let index = index(endingAfter: page)
    return index < runs.count ? runs[index] : nil
  }

  mutating func insert(_ pages: Range<UInt64>) {
    guard !pages.isEmpty else { return }
    remove(pages)
    runs.insert(pages, at: index(endingAfter: pages.lowerBound))
  }

  mutating func remove(_ pages: Range<UInt64>) {
    guard !pages.isEmpty else { return }
    let first = index(endingAfter: pages.lowerBound)
    var last = first
    var rest: [Range<UInt64>] = []
    while last < runs.count, runs[last].lowerBound < pages.upperBound {
      let run = runs[last]
      if run.lowerBound < pages.lowerBound { rest.append(run.lowerBound..<pages.lowerBound) }
      if run.upperBound > pages.upperBound { rest.append(pages.upperBound..<run.upperBound) }
      last += 1
    }
    runs.replaceSubrange(first..<last, with: rest)
  }
}
