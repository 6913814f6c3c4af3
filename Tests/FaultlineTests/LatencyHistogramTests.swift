import Faultline
import Testing

/// Times in buckets of doubling width, as the seed's tables have them.
@Suite struct LatencyHistogramTests {
  @Test func everyTimeLiesInTheBucketOfItsPowerOfTwo() {
    var times = LatencyHistogram()
    for time: UInt64 in [0, 1, 2, 3, 4, 7, 8, .max] { times.add(time) }
    let buckets = times.filled
    #expect(buckets.map(\.range) == [1...1, 2...3, 4...7, 8...15, 1 << 63...UInt64.max])
    #expect(buckets.map(\.count) == [2, 2, 2, 1, 1])
    #expect(times.least == 1 && times.most == .max && times.count == 8)
  }

  @Test func mergingIsAddingEachTime() {
    var (all, first, second) = (LatencyHistogram(), LatencyHistogram(), LatencyHistogram())
    for time: UInt64 in 1...100 {
      all.add(time * 37)
      if time < 40 { first.add(time * 37) } else { second.add(time * 37) }
    }
    var merged = LatencyHistogram()
    merged.add(second)
    merged.add(first)
    merged.add(LatencyHistogram())
    #expect(merged == all)
    #expect(merged.mean == (37 * 5050) / 100)
  }
}
