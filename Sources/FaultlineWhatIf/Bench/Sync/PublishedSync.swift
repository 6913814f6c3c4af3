import Faultline

/// What synchronous faults were posted with in November 2017 (seed 001): the first stores to 512 pages of a file on a ramdisk, each
/// timed, in microseconds. Its "preallocated" blocks must have been written: those of fallocate(2) would have cost a commit.
public struct PublishedSync: Sendable, Equatable {
  public let least: UInt64
  public let mean: UInt64
  public let most: UInt64
  /// Buckets of doubling width, the first at 8 microseconds.
  public let buckets: [(from: UInt64, count: UInt64)]

  private init(_ least: UInt64, _ mean: UInt64, _ most: UInt64, _ buckets: [(UInt64, UInt64)]) {
    self.least = least
    self.mean = mean
    self.most = most
    self.buckets = buckets.map { (from: $0.0, count: $0.1) }
  }

  public static func == (left: Self, right: Self) -> Bool { left.text == right.text }

  /// The six that were posted; `nil` for what was not measured.
  static func table(_ contents: SyncSetting.Contents, isBusy: Bool, isSynchronous: Bool) -> PublishedSync? {
    switch (contents, isBusy, isSynchronous) {
    case (.written, false, false): PublishedSync(9, 10, 46, [(8, 508), (16, 3), (32, 1)])
    case (.written, false, true): PublishedSync(9, 10, 47, [(8, 508), (16, 2), (32, 2)])
    case (.empty, false, false): PublishedSync(21, 22, 70, [(16, 506), (32, 5), (64, 1)])
    case (.empty, false, true): PublishedSync(40, 124, 242, [(32, 1), (64, 333), (128, 178)])
    case (.empty, true, false): PublishedSync(21, 23, 67, [(16, 507), (32, 4), (64, 1)])
    case (.empty, true, true): PublishedSync(94, 112, 181, [(64, 489), (128, 23)])
    case (.written, true, _), (.fallocated, _, _): nil
    }
  }

  /// As it was posted.
  public var text: [String] {
    ["min=\(least) avg=\(mean) max=\(most)"]
      + buckets.map { "\($0.from) - \(2 * $0.from - 1) us: \($0.count)" }
  }
}
