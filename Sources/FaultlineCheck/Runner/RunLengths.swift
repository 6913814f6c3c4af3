/// Runs of equal neighbours, as the recordings write them.
enum RunLengths {
  /// The runs of `0..<count` whose value is not `nil`, in order.
  static func of<Value: Equatable>(_ count: Int64, _ value: (Int64) -> Value?) -> [(
    start: Int64, count: Int64, value: Value
  )] {
    var runs: [(start: Int64, count: Int64, value: Value)] = []
    for index in 0..<count {
      guard let value = value(index) else { continue }
      if let last = runs.last, last.start + last.count == index, last.value == value {
        runs[runs.count - 1].count += 1
      } else {
        runs.append((index, 1, value))
      }
    }
    return runs
  }
}
