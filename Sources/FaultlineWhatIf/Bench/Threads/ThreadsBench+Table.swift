extension ThreadsBench {
  /// The tables for a terminal, one for each load, then the bars.
  public var tableText: String {
    let intro =
      "Faults per second and nanoseconds of one fault, reading the clock included. Each thread stores to every page of an "
      + "area of its own and lets go of them with MADV_DONTNEED. The engine keeps no page contents; the kernel zeroes or "
      + "copies each page of page_fault1 and 2."
    let tables = FaultLoad.willItScale.map { "\($0.name): \($0.about)\n\(table($0).text)" }
    let disturbed =
      waitedShare > WaitClock.calm
      ? "Other programs kept the processors busy: threads waited for one \(NumberText.decimal(100 * waitedShare, places: 0)) % "
        + "of their time. Repeat this on an idle machine before you believe a figure of two threads." : ""
    let bars = report.bars.map(\.text).joined(separator: "\n")
    return ([intro] + tables + [disturbed, bars]).filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private func table(_ load: FaultLoad) -> TextTable {
    var table = TextTable(
      head: ["", "setting", "million faults/s", "of one thread"] + Self.percentiles.map(\.name))
    for row in rows where row.cell.load == load {
      let share = share(load, row.cell.system, row.cell.setting)
      table.add(
        [
          row.cell.system.name, row.cell.setting.name, NumberText.decimal(row.faultsPerSecond / 1e6, places: 2),
          share.map { NumberText.decimal($0, places: 2) } ?? "-",
        ]
          + Self.percentiles.map { percentile in
            row.latencies.latency(atPercentile: percentile.percent).map { NumberText.grouped($0) } ?? "-"
          })
    }
    return table
  }
}
