extension WhatIfReport {
  /// The table for people: one row a policy, why the best is best, and what to know about the numbers.
  public var tableText: String {
    var table = TextTable(
      head: [
        "policy", "major", "minor", "pages mapped", "in 2 MiB", "pages cached", "MB read", "I/O requests", "est. time",
        "",
      ])
    for (index, outcome) in outcomes.enumerated() {
      let counts = outcome.counts
      table.add([
        outcome.policy.name, NumberText.grouped(counts.majorFaults), NumberText.grouped(counts.minorFaults),
        NumberText.grouped(counts.pagesMapped), NumberText.grouped(counts.pagesMappedHuge),
        NumberText.grouped(counts.pagesCached),
        NumberText.megabytes(counts.readBytes), NumberText.grouped(counts.readRequests),
        NumberText.duration(nanoseconds: outcome.estimated), index == bestIndex ? "best" : "",
      ])
    }
    var lines = [title, "", table.text]
    if let sentence = bestSentence { lines += ["", sentence] }
    if !verification.isEmpty { lines += ["", verificationText] }
    if !assertions.isEmpty { lines += [""] + assertions.map(\.text) }
    lines += [""] + (notes + [costNote]).map { "note: \($0)" }
    return lines.joined(separator: "\n")
  }

  /// Policies as comma-separated values, with a head line; numbers in plain units.
  public var csvText: String {
    let head = [
      "policy", "verifiable", "madvise", "readaheadBytes", "faultAroundBytes", "majorFaults", "minorFaults",
      "pagesMapped", "pagesMappedHuge", "pagesCached", "readBytes", "readRequests", "estimatedNanoseconds", "best",
    ]
    let rows = outcomes.enumerated().map { index, outcome -> [String] in
      let counts = outcome.counts
      let numbers = [
        counts.majorFaults, counts.minorFaults, counts.pagesMapped, counts.pagesMappedHuge, counts.pagesCached,
        counts.readBytes,
        counts.readRequests,
      ]
      return [
        csvCell(outcome.policy.name), "\(outcome.policy.isVerifiable)", outcome.policy.madvise.rawValue,
        outcome.readaheadBytes.map { "\($0)" } ?? "", "\(outcome.policy.faultAroundBytes)",
      ] + numbers.map { "\($0)" } + [plain(outcome.estimated), "\(index == bestIndex)"]
    }
    return ([head] + rows).map { $0.joined(separator: ",") }.joined(separator: "\n")
  }

  private var title: String {
    let bytes = trace.files.reduce(0) { $0 &+ $1.pages &* 4096 }
    let files = trace.files.count == 1 ? trace.files[0].path : "\(trace.files.count) files"
    let touches = NumberText.grouped(UInt64(trace.touches))
    return "\(touches) first touches of \(files) (\(NumberText.megabytes(bytes)) MB), "
      + "Linux \(kernelRules) rules, cache \(cache.rawValue) at the start"
  }

  private var costNote: String {
    let costs = self.costs
    return "counts are exact under these rules; time is estimated from costs \(costs.origin): "
      + "fault \(NumberText.decimal(costs.faultNanoseconds, places: 0)) ns, "
      + "page mapped around it \(NumberText.decimal(costs.mappedPageNanoseconds, places: 0)) ns, "
      + "read request \(NumberText.decimal(costs.readRequestNanoseconds / 1e3, places: 1)) us, "
      + "MB read \(NumberText.decimal(costs.megabyteNanoseconds / 1e3, places: 1)) us"
  }

  private func plain(_ value: Double) -> String { UInt64(exactly: value.rounded()).map { "\($0)" } ?? "" }

  private func csvCell(_ text: String) -> String {
    guard text.contains(where: { "\",\n\r".contains($0) }) else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
