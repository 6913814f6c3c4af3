/// The virtual pages of one process whose touch is in the trace: a sparse set, one bit a page, in chunks of 128 MiB of address space.
///
/// One thread at a time. An insert is a few nanoseconds while touches stay near each other.
struct TouchedPages: ~Copyable {
  private static let chunkShift: UInt64 = 15
  private static let words = 1 << (15 - 6)

  private var chunks: [UInt64: UnsafeMutablePointer<UInt64>] = [:]
  private var lastKey = UInt64.max
  private var last: UnsafeMutablePointer<UInt64>?

  deinit { for chunk in chunks.values { chunk.deallocate() } }

  /// True when the page was not in the set.
  mutating func insert(_ page: UInt64) -> Bool {
    let word = chunk(of: page) + Int((page >> 6) & UInt64(Self.words - 1))
    let bit: UInt64 = 1 << (page & 63)
    if word.pointee & bit != 0 { return false }
    word.pointee |= bit
    return true
  }

  mutating func contains(_ page: UInt64) -> Bool {
    guard let found = existingChunk(page >> Self.chunkShift) else { return false }
    return found[Int((page >> 6) & UInt64(Self.words - 1))] & (1 << (page & 63)) != 0
  }

  mutating func remove(_ range: Range<UInt64>) {
    forEachWord(in: range) { _, word, mask in word.pointee &= ~mask }
  }

  mutating func count(_ range: Range<UInt64>) -> UInt64 {
    var total = 0
    forEachWord(in: range) { _, word, mask in total += (word.pointee & mask).nonzeroBitCount }
    return UInt64(total)
  }

  /// Takes the pages of a range out and puts them in again from `page` on.
  mutating func move(_ range: Range<UInt64>, to page: UInt64) {
    var moved: [UInt64] = []
    forEachWord(in: range) { first, word, mask in
      var bits = word.pointee & mask
      while bits != 0 {
        moved.append(first + UInt64(bits.trailingZeroBitCount) - range.lowerBound + page)
        bits &= bits - 1
      }
    }
    remove(range)
    for new in moved { _ = insert(new) }
  }

  private mutating func existingChunk(_ key: UInt64) -> UnsafeMutablePointer<UInt64>? {
    if key == lastKey { return last }
    guard let found = chunks[key] else { return nil }
    lastKey = key
    last = found
    return found
  }

  private mutating func chunk(of page: UInt64) -> UnsafeMutablePointer<UInt64> {
    let key = page >> Self.chunkShift
    if let found = existingChunk(key) { return found }
    let fresh = UnsafeMutablePointer<UInt64>.allocate(capacity: Self.words)
    fresh.initialize(repeating: 0, count: Self.words)
    chunks[key] = fresh
    lastKey = key
    last = fresh
    return fresh
  }

  /// Calls `body` with the page of a word's first bit, the word, and its bits that lie in the range.
  private mutating func forEachWord(
    in range: Range<UInt64>, _ body: (UInt64, UnsafeMutablePointer<UInt64>, UInt64) -> Void
  ) {
    var page = range.lowerBound
    while page < range.upperBound {
      let key = page >> Self.chunkShift
      let chunkEnd = min((key + 1) << Self.chunkShift, range.upperBound)
      guard let found = existingChunk(key) else {
        page = chunkEnd
        continue
      }
      while page < chunkEnd {
        let wordEnd = min((page | 63) + 1, chunkEnd)
        let bits = wordEnd - page
        let mask = (bits == 64 ? UInt64.max : (1 << bits) - 1) << (page & 63)
        body(page & ~63, found + Int((page >> 6) & UInt64(Self.words - 1)), mask)
        page = wordEnd
      }
    }
  }
}
