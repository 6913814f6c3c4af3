extension Policy {
  /// The questions everybody asks, in the order of the table: each advice, then each fault-around window, then each
  /// readahead.
  ///
  /// - Parameter deviceReadaheadBytes: the readahead of the device below the chosen files; nil when they lie on several.
  public static func standard(deviceReadaheadBytes: UInt64?) -> [Policy] {
    var policies = [Madvise.asRecorded, .normal, .random, .sequential, .populate, .hugePage].map { Policy(madvise: $0) }
    policies += ([4 << 10, 16 << 10, 64 << 10, 512 << 10, 2 << 20] as [UInt64]).map { Policy(faultAroundBytes: $0) }
    policies += ([0, 128 << 10, 4 << 20] as [UInt64]).map { Policy(readahead: .bytes($0)) }
    return withoutDuplicates(policies, deviceReadaheadBytes: deviceReadaheadBytes)
  }

  /// Drops each policy whose effect an earlier one has; a readahead equal to the device's own is the device's own.
  public static func withoutDuplicates(_ policies: [Policy], deviceReadaheadBytes: UInt64?) -> [Policy] {
    var kept: [Policy] = []
    for var policy in policies {
      if let device = deviceReadaheadBytes, policy.readahead == .bytes(device) { policy.readahead = .device }
      if !kept.contains(where: { $0.hasSameEffect(as: policy) }) { kept.append(policy) }
    }
    return kept
  }
}
