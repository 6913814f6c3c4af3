import Faultline
import Histogram

/// What the threads of one run did.
struct FaultMeasurement: Sendable {
  /// Of all threads together.
  var faultsPerSecond: Double = 0
  /// The share of its time for which the most unlucky thread waited for a processor, because other programs had them.
  var waitedShare: Double = 0
  /// The share of its time for which the thread that maps and unmaps was in these calls; nil where none does, or none
  /// measures.
  var writerShare: Double?
  /// What became of the faults that began without a lock, of all threads together.
  var speculation = SpeculationCounts()
  /// Nanoseconds of each fault, reading the clock included; nil where only the rate was asked for.
  var latencies: Histogram<UInt64>?

  /// Nanoseconds; a fault that takes longer counts as one that took so long.
  private static let longest: UInt64 = 60_000_000_000

  static var timed: FaultMeasurement {
    FaultMeasurement(latencies: Histogram(highestTrackableValue: longest))
  }

  mutating func note(nanoseconds: UInt64) { _ = latencies?.record(min(Self.longest, nanoseconds)) }

  mutating func merge(_ other: FaultMeasurement) {
    faultsPerSecond += other.faultsPerSecond
    waitedShare = max(waitedShare, other.waitedShare)
    writerShare = writerShare ?? other.writerShare
    speculation.add(other.speculation)
    guard let added = other.latencies else { return }
    guard var merged = latencies else { return latencies = added }
    for value in added.recordedValues() { _ = merged.record(value.value, count: value.count) }
    latencies = merged
  }

  /// Nanoseconds that `percent` of the faults do not exceed; nil when none was timed.
  func latency(atPercentile percent: Double) -> UInt64? { latencies?.valueAtPercentile(percent) }
}
