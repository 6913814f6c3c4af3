/// The orders in which programs are known to walk their files; each is a list of pages, made from a seed and nothing else.
public enum TouchOrder: String, CaseIterable, Sendable {
  /// Every page, up.
  case sequential
  /// Every page, down.
  case reverse
  /// One page in a hundred, anywhere, none twice.
  case random
  /// Every 64th page, up.
  case stride
  /// As many touches as a hundredth of the pages, most of them near the start: four random bits decide how near.
  case skewed
  /// The first and the second half at the same time, up.
  case interleaved
  /// Every page once, anywhere.
  case shuffled

  /// The pages to touch of a file of `pages` pages.
  public func pages(of pages: Int, seed: UInt64 = 1) -> [Int] {
    guard pages > 0 else { return [] }
    var random = SplitMix(state: seed)
    switch self {
    case .sequential: return Array(0..<pages)
    case .reverse: return (0..<pages).reversed()
    case .stride: return Array(Swift.stride(from: 0, to: pages, by: 64))
    case .interleaved: return (0..<pages).map { $0 % 2 == 0 ? $0 / 2 : (pages + 1) / 2 + $0 / 2 }
    case .shuffled: return shuffled(pages, take: pages, &random)
    case .random: return shuffled(pages, take: max(1, pages / 100), &random)
    case .skewed:
      return (0..<max(1, pages / 100)).map { _ in
        let reach = max(1, pages >> Int(random.next() & 15))
        return Int(random.next() % UInt64(reach))
      }
    }
  }

  private func shuffled(_ pages: Int, take: Int, _ random: inout SplitMix) -> [Int] {
    var all = Array(0..<pages)
    for index in 0..<take { all.swapAt(index, index + Int(random.next() % UInt64(pages - index))) }
    return Array(all[..<take])
  }
}

/// Steele, Lea and Flood's SplitMix64: the same numbers everywhere for the same seed.
private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
