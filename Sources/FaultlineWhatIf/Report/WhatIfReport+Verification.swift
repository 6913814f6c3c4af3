extension WhatIfReport {
  /// Predicted beside measured for each policy that was run again, and the names of those that could not be.
  var verificationText: String {
    var table = TextTable(head: ["verified"] + VerifiedCounts.columns.map(\.title) + ["process read", ""])
    for verification in verification {
      table.add(["\(verification.policy), predicted"] + verification.predictedCells)
      table.add(["\(verification.policy), \(verification.measured.count) runs"] + verification.measuredCells)
    }
    let others = outcomes.filter { !$0.policy.isVerifiable }.map(\.policy.name)
    let rest =
      others.isEmpty
      ? ""
      : "\nnot verifiable: \(others.joined(separator: ", ")); fault-around belongs to the machine and readahead to the device"
    return table.text + rest
  }
}

extension PolicyVerification {
  fileprivate var predictedCells: [String] {
    VerifiedCounts.columns.map { NumberText.grouped(predicted[keyPath: $0.value]) }
  }

  fileprivate var measuredCells: [String] {
    VerifiedCounts.columns.map { column in PolicyVerification.range(measured.map { $0[keyPath: column.value] }) }
      + [PolicyVerification.range(processReadBytes), isEqual ? "equal" : isWithinRange ? "within range" : "OUTSIDE"]
  }

  private static func range(_ values: [UInt64]) -> String {
    guard let least = values.min(), let greatest = values.max() else { return "-" }
    return least == greatest
      ? NumberText.grouped(least) : "\(NumberText.grouped(least)) to \(NumberText.grouped(greatest))"
  }
}
