/// The numbers that a real run and a replay have in common.
public struct VerifiedCounts: Sendable, Equatable {
  public var majorFaults: UInt64
  public var minorFaults: UInt64
  public var pagesMapped: UInt64
  /// Pages of them in 2 MiB mappings.
  public var pagesMappedHuge: UInt64
  public var pagesCached: UInt64
  public var readBytes: UInt64

  public init(
    majorFaults: UInt64, minorFaults: UInt64, pagesMapped: UInt64, pagesMappedHuge: UInt64, pagesCached: UInt64,
    readBytes: UInt64
  ) {
    self.majorFaults = majorFaults
    self.minorFaults = minorFaults
    self.pagesMapped = pagesMapped
    self.pagesMappedHuge = pagesMappedHuge
    self.pagesCached = pagesCached
    self.readBytes = readBytes
  }

  public init(_ counts: ReplayCounts) {
    self.init(
      majorFaults: counts.majorFaults, minorFaults: counts.minorFaults, pagesMapped: counts.pagesMapped,
      pagesMappedHuge: counts.pagesMappedHuge,
      pagesCached: counts.pagesCached, readBytes: counts.readBytes)
  }

  /// The columns in the order of every table.
  static var columns: [(title: String, key: String, value: KeyPath<VerifiedCounts, UInt64>)] {
    [
      ("major", "majorFaults", \.majorFaults),
      ("minor", "minorFaults", \.minorFaults),
      ("pages mapped", "pagesMapped", \.pagesMapped),
      ("in 2 MiB", "pagesMappedHuge", \.pagesMappedHuge),
      ("pages cached", "pagesCached", \.pagesCached),
      ("bytes read", "readBytes", \.readBytes),
    ]
  }
}

/// A prediction beside what the real kernel did, run by run.
public struct PolicyVerification: Sendable, Equatable {
  public var policy: String
  public var predicted: VerifiedCounts
  /// One entry for each run, in order.
  public var measured: [VerifiedCounts]
  /// What `/proc/PID/io` said each run read, the program's own files included, in bytes.
  public var processReadBytes: [UInt64]

  public init(policy: String, predicted: VerifiedCounts, measured: [VerifiedCounts], processReadBytes: [UInt64] = []) {
    self.policy = policy
    self.predicted = predicted
    self.measured = measured
    self.processReadBytes = processReadBytes
  }

  /// Every number lies between the least and the greatest that the kernel's runs gave. Where all runs agree this means
  /// equality. Without runs nothing is within range.
  public var isWithinRange: Bool {
    VerifiedCounts.columns.allSatisfy { column in
      let runs = measured.map { $0[keyPath: column.value] }
      guard let least = runs.min(), let greatest = runs.max() else { return false }
      return (least...greatest).contains(predicted[keyPath: column.value])
    }
  }

  /// All runs agree with each other and with the prediction.
  public var isEqual: Bool { !measured.isEmpty && measured.allSatisfy { $0 == predicted } }
}
