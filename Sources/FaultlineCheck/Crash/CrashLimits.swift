/// How much of what a crash may leave is tried.
public struct CrashLimits: Sendable, Hashable {
  /// Up to so many sets of survivors at one point, all are tried.
  public var combinations: Int
  /// Where there are more: so many drawn ones, beside those in which nothing or everything survives, or one line alone
  /// differs from that.
  public var samples: Int
  /// Where the drawing starts.
  public var seed: UInt64

  public init(combinations: Int = 1024, samples: Int = 64, seed: UInt64 = 1) {
    self.combinations = combinations
    self.samples = samples
    self.seed = seed
  }
}
