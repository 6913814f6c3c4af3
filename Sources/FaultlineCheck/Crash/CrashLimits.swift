/// How much of what a crash may leave is tried.
public struct CrashLimits: Sendable, Hashable {
  /// Up to so many sets of survivors at one point, all are tried.
  public var combinations: Int
  /// Where there are more: so many drawn ones, beside those in which nothing or everything survives, or one line alone
  /// differs from that.
  public var samples: Int
  /// Of so many images at each such point the recovery is cut off by another crash, with far fewer sets of survivors.
  public var recoveries: Int
  /// Where the drawing starts.
  public var seed: UInt64

  public init(combinations: Int = 1024, samples: Int = 64, recoveries: Int = 1, seed: UInt64 = 1) {
    self.combinations = combinations
    self.samples = samples
    self.recoveries = recoveries
    self.seed = seed
  }

  /// For the crashes of one recovery.
  var ofRecovery: CrashLimits {
    CrashLimits(combinations: min(combinations, 32), samples: min(samples, 4), recoveries: 0, seed: seed)
  }
}
