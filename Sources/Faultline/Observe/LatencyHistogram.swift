/// How long something took, counted in buckets that each hold twice the range of the one before: [1, 2), [2, 4), … nanoseconds.
/// The form in which the patches for synchronous faults were measured (seed 001), and in which kernel tools print latencies.
///
/// Times come from outside: the engine reads no clock. One thread uses a histogram; those of several are merged afterwards.
public struct LatencyHistogram: Sendable, Equatable {
  /// A bucket that holds something.
  public struct Bucket: Sendable, Equatable {
    /// Nanoseconds, both ends included.
    public let range: ClosedRange<UInt64>
    public let count: UInt64
  }

  /// Times that were added.
  public private(set) var count: UInt64 = 0
  /// Of all times, in nanoseconds; wraps after 584 years.
  public private(set) var sum: UInt64 = 0
  /// Nanoseconds; 0 while there is none.
  public private(set) var least: UInt64 = 0
  public private(set) var most: UInt64 = 0
  private var buckets = [UInt64](repeating: 0, count: 64)

  public init() {}

  /// Adds one time. Zero counts as one nanosecond.
  public mutating func add(_ nanoseconds: UInt64) {
    let time = max(1, nanoseconds)
    least = count == 0 ? time : min(least, time)
    most = max(most, time)
    count &+= 1
    sum &+= time
    buckets[63 - time.leadingZeroBitCount] &+= 1
  }

  public mutating func add(_ other: LatencyHistogram) {
    guard other.count > 0 else { return }
    least = count == 0 ? other.least : min(least, other.least)
    most = max(most, other.most)
    count &+= other.count
    sum &+= other.sum
    for index in buckets.indices { buckets[index] &+= other.buckets[index] }
  }

  /// Nanoseconds; 0 while there is none.
  public var mean: UInt64 { count == 0 ? 0 : sum / count }

  /// Those that hold something, shortest times first.
  public var filled: [Bucket] {
    buckets.indices.filter { buckets[$0] > 0 }.map { index in
      let low = UInt64(1) << UInt64(index)
      return Bucket(range: low...low &+ (low &- 1), count: buckets[index])
    }
  }
}
