/// How long the calling thread was ready to run and had no processor. Kernel: `/proc/thread-self/schedstat`.
struct WaitClock {
  private let start = monotonicNanoseconds()
  private let waited = Self.waitedNanoseconds

  /// Of the time since this was made; 0 where the kernel does not tell.
  var share: Double {
    Double(Self.waitedNanoseconds &- waited) / Double(max(1, monotonicNanoseconds() - start))
  }

  private static var waitedNanoseconds: UInt64 {
    let fields = HostText.read("/proc/thread-self/schedstat")?.split(separator: " ") ?? []
    return fields.count > 1 ? UInt64(fields[1]) ?? 0 : 0
  }
}

extension WaitClock {
  /// The largest share of its time that a thread of a measurement may have waited for a processor.
  static let calm = 0.02
  private static let attempts = 4

  /// Measures until no thread has waited longer, a few times at most.
  ///
  /// - Parameter waitedShare: of the most unlucky thread of a measurement.
  /// - Returns: the least disturbed measurement; nil when `measure` returns that.
  static func leastDisturbed<Measurement, Failure>(
    _ waitedShare: (Measurement) -> Double, _ measure: () throws(Failure) -> Measurement?
  ) throws(Failure) -> Measurement? {
    var best: Measurement?
    for _ in 0..<attempts where best.map({ waitedShare($0) > calm }) ?? true {
      guard let measured = try measure() else { return nil }
      if waitedShare(measured) < best.map(waitedShare) ?? .infinity { best = measured }
    }
    return best
  }
}
