/// Which sets of survivors are tried: for each line a count of its first stores.
struct Survivors {
  /// Stores that wait, by line.
  private let waiting: [Int]
  private let limits: CrashLimits
  /// The product of what each line may show; `nil` when that is more than the limit.
  let combinations: Int?

  init(of lines: [VolatileLine], within limits: CrashLimits) {
    waiting = lines.map(\.stores.count)
    self.limits = limits
    combinations = waiting.reduce(1) { product, count in
      guard let product else { return nil }
      let (next, isTooMany) = product.multipliedReportingOverflow(by: count + 1)
      return isTooMany || next > limits.combinations ? nil : next
    }
  }

  /// Calls `body` with each set, until it says that it has seen enough. Whether it never did.
  func forEach(drawing seed: UInt64, _ body: ([Int]) throws -> Bool) rethrows -> Bool {
    try combinations == nil ? forSome(drawing: seed, body) : forAll(body)
  }

  private func forAll(_ body: ([Int]) throws -> Bool) rethrows -> Bool {
    var counts = [Int](repeating: 0, count: waiting.count)
    while true {
      guard try body(counts) else { return false }
      guard let place = counts.indices.first(where: { counts[$0] < waiting[$0] }) else { return true }
      for reset in 0..<place { counts[reset] = 0 }
      counts[place] += 1
    }
  }

  private func forSome(drawing seed: UInt64, _ body: ([Int]) throws -> Bool) rethrows -> Bool {
    let none = [Int](repeating: 0, count: waiting.count)
    guard try body(waiting), try body(none) else { return false }
    var random = SplitMixGenerator(seed: limits.seed ^ seed &* 0x9E37_79B9_7F4A_7C15)
    // A whole extent that was zeroed has more lines than are worth an image each.
    let stride = max(1, waiting.count / max(1, limits.samples))
    for place in Swift.stride(from: 0, to: waiting.count, by: stride) {
      var allButOne = waiting
      allButOne[place] = 0
      var onlyOne = none
      onlyOne[place] = waiting[place]
      guard try body(allButOne), try body(onlyOne) else { return false }
    }
    for _ in 0..<limits.samples {
      // Few lines lost, few kept, and everything between.
      let share = random.next() & 0xFF
      let counts = waiting.map { count -> Int in
        let draw = random.next()
        if draw & 3 == 0 { return Int((draw >> 8) % UInt64(count + 1)) }
        return (draw >> 8) & 0xFF < share ? count : 0
      }
      guard try body(counts) else { return false }
    }
    return true
  }
}
