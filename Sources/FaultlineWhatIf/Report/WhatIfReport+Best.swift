extension WhatIfReport {
  /// Which policy is best and why, in one sentence; nil when there is nothing to compare.
  public var bestSentence: String? {
    guard let bestIndex else { return nil }
    let best = outcomes[bestIndex]
    guard let recordedIndex else { return "best: \(best.policy.name), with the least estimated time." }
    let recorded = outcomes[recordedIndex]
    if bestIndex == recordedIndex {
      return "best: \(best.policy.name); nothing tried here is estimated to be more than 5 % faster."
    }
    return
      "best: \(best.policy.name), estimated \(speed(best, over: recorded)) than \(recorded.policy.name), because it "
      + "\(reason(best.counts, instead: recorded.counts)); \(howToSet(best.policy))\(ownBest(beside: bestIndex))."
  }

  /// The best that needs no change of the machine, where the best of all needs one.
  private func ownBest(beside bestIndex: Int) -> String {
    guard let own = bestOwnIndex, own != bestIndex else { return "" }
    return "; of what the program can set itself, \(outcomes[own].policy.name) is best"
  }

  private func speed(_ best: PolicyOutcome, over recorded: PolicyOutcome) -> String {
    guard best.estimated > 0 else { return "faster" }
    let factor = recorded.estimated / best.estimated
    if factor < 1.5 { return "\(NumberText.decimal((factor - 1) * 100, places: 0)) % faster" }
    return "\(NumberText.decimal(factor, places: factor < 10 ? 1 : 0)) times faster"
  }

  /// The event whose saving is worth most under the cost model.
  private func reason(_ best: ReplayCounts, instead recorded: ReplayCounts) -> String {
    func gain(_ part: KeyPath<ReplayCounts, UInt64>, each cost: Double) -> Double {
      (Double(recorded[keyPath: part]) - Double(best[keyPath: part])) * cost
    }
    let reasons: [(gain: Double, text: String)] = [
      (
        gain(\.readBytes, each: costs.megabyteNanoseconds / 1e6),
        "reads \(NumberText.megabytes(best.readBytes)) MB instead of \(NumberText.megabytes(recorded.readBytes)) MB"
      ),
      (
        gain(\.readRequests, each: costs.readRequestNanoseconds),
        "reads in \(NumberText.grouped(best.readRequests)) requests instead of \(NumberText.grouped(recorded.readRequests))"
      ),
      (
        gain(\.faults, each: costs.faultNanoseconds),
        "takes \(NumberText.grouped(best.faults)) faults instead of \(NumberText.grouped(recorded.faults))"
      ),
      (
        gain(\.pagesMapped, each: costs.mappedPageNanoseconds),
        "maps \(NumberText.grouped(best.pagesMapped)) pages instead of \(NumberText.grouped(recorded.pagesMapped))"
      ),
    ]
    return reasons.max { $0.gain < $1.gain }?.text ?? ""
  }

  private func howToSet(_ policy: Policy) -> String {
    var steps: [String] = []
    switch policy.madvise {
    case .asRecorded: break
    case .normal: steps.append("leave out the program's own madvise")
    case .random: steps.append("set it with madvise(MADV_RANDOM) after mmap")
    case .sequential: steps.append("set it with madvise(MADV_SEQUENTIAL) after mmap")
    case .willNeed: steps.append("set it with madvise(MADV_WILLNEED) after mmap")
    case .populate: steps.append("set it with MAP_POPULATE or madvise(MADV_POPULATE_READ)")
    case .hugePage:
      steps.append("set it with madvise(MADV_HUGEPAGE) after mmap, at an address that is a multiple of 2 MiB")
    case .noHugePage: steps.append("set it with madvise(MADV_NOHUGEPAGE) after mmap")
    }
    if case .bytes(let bytes) = policy.readahead {
      steps.append("set readahead with blockdev --setra \(bytes / 512) on the device")
    }
    if policy.faultAroundBytes != Policy.defaultFaultAroundBytes {
      steps.append("write \(policy.faultAroundBytes) to fault_around_bytes in debugfs, for the whole machine")
    }
    return steps.isEmpty ? "leave everything as it is" : steps.joined(separator: ", ")
  }
}
