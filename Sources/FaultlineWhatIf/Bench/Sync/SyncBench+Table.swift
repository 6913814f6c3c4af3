import Faultline

extension SyncBench {
  /// For a terminal: the seed's tables with its own figures beside them, then the other settings, then the bars.
  public var tableText: String {
    let intro =
      "The first store to each of 512 pages, reading the clock included; \(rows.first?.rounds.count ?? 0) rounds together. "
      + "On the right what seed 001 was posted with (a ramdisk, 2017)."
    let tables = SyncSetting.asPublished.compactMap(row).map(publishedTable)
    return
      ([intro] + tables + [
        otherTable.text, windowTable.text, kernelText, report.bars.map(\.text).joined(separator: "\n"),
      ])
      .filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private var kernelText: String {
    guard !kernelRows.isEmpty else {
      return
        "The running kernel grants no MAP_SYNC in that directory, so it is not measured; give one on persistent memory "
        + "with --directory."
    }
    var table = TextTable(head: ["this kernel, file", "MAP_SYNC", "min ns", "mean ns", "max ns"])
    for row in kernelRows {
      table.add([
        row.contents.rawValue, row.isSynchronous ? "yes" : "no", NumberText.grouped(row.latencies.least),
        NumberText.grouped(row.latencies.mean), NumberText.grouped(row.latencies.most),
      ])
    }
    return table.text
  }

  private func publishedTable(_ row: Row) -> String {
    let theirs = Self.published(row.setting)?.text ?? ["not posted"]
    let ours = row.latencies.lines(rounds: row.rounds.count) + (row.commits.map { ["commits: \($0)"] } ?? [])
    var table = TextTable(head: [row.setting.title + ":", "seed 001"])
    for index in 0..<max(ours.count, theirs.count) {
      table.add([index < ours.count ? ours[index] : "", index < theirs.count ? theirs[index] : ""])
    }
    return table.text
  }

  private var otherTable: TextTable {
    var table = TextTable(
      head: [
        "file", "metadata", "device", "entries", "MAP_SYNC", "faults", "median ns", "mean ns", "max ns", "commits",
      ])
    for setting in SyncSetting.others {
      guard let row = row(setting), let round = row.rounds.first else { continue }
      table.add([
        setting.contents.rawValue, setting.mode.name, setting.device.rawValue, setting.size.rawValue,
        setting.isSynchronous ? "yes" : "no", "\(round.minorFaults + round.majorFaults)",
        NumberText.decimal(row.median, places: 0), NumberText.grouped(row.latencies.mean),
        NumberText.grouped(row.latencies.most), row.commits.map { "\($0)" } ?? "-",
      ])
    }
    return table
  }
}

extension LatencyHistogram {
  /// In the seed's form, in nanoseconds; counts are those of a round.
  fileprivate func lines(rounds: Int) -> [String] {
    ["min=\(least) avg=\(mean) max=\(most)"]
      + filled.map { bucket in
        let count = Double(bucket.count) / Double(max(1, rounds))
        return "\(bucket.range.lowerBound) - \(bucket.range.upperBound) ns: \(NumberText.decimal(count, places: 1))"
      }
  }
}
