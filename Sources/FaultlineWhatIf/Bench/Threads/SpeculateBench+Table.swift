import Faultline

extension SpeculateBench {
  /// For a terminal: two tables for each load, rates and what became of the attempts, then the bars.
  public var tableText: String {
    let intro =
      "Faults per second; each thread touches every page of an area of its own and lets go of them with MADV_DONTNEED. \"10 % "
      + "of it\" is a thread that maps and unmaps for a tenth of its time; \"in changes\" is what that came to. The engine keeps no page "
      + "contents; the kernel zeroes or copies each page of page_fault1 and copies."
    let tables = FaultLoad.speculative.flatMap { load in
      ["\(load.name): \(load.about)\n\(rateTable(load).text)", abortTable(load).text]
    }
    let disturbed =
      disturbedShare > WaitClock.calm
      ? "Other programs kept the processors busy: in \(NumberText.decimal(100 * disturbedShare, places: 0)) % of the "
        + "measurements a thread waited for one. Repeat this on an idle machine before you believe a figure of two threads."
      : ""
    let distance =
      roundTrips.isEmpty
      ? ""
      : "A cache line took \(NumberText.decimal(roundTrips.median, places: 0)) ns to another processor and back "
        + "(\(NumberText.decimal(roundTrips.min() ?? 0, places: 0)) to \(NumberText.decimal(roundTrips.max() ?? 0, places: 0)) in "
        + "\(roundTrips.count) rounds). Figures beside a writer are of such a machine: a host may move its processors apart."
    return ([intro] + tables + [disturbed, distance, report.bars.map(\.text).joined(separator: "\n")]).filter {
      !$0.isEmpty
    }
    .joined(separator: "\n\n")
  }

  private func rateTable(_ load: FaultLoad) -> TextTable {
    var table = TextTable(
      head: ["setting", "mode", "million faults/s", "of one thread", "time of mmapLock's", "in changes"])
    for row in rows where row.cell.load == load {
      let cell = row.cell
      let share = cell.setting == .alone ? nil : share(cell)
      let cost = cell.system == .engine(.mmapLock) || cell.system == .kernel ? nil : cost(cell)
      table.add([
        cell.setting.name, cell.system.name, NumberText.decimal(row.faultsPerSecond / 1e6, places: 2), Self.text(share),
        Self.text(cost), Self.percent(row.writerShare),
      ])
    }
    return table
  }

  /// What became of attempts without a lock, with a column for each reason that occurs.
  private func abortTable(_ load: FaultLoad) -> TextTable {
    let tried = rows.filter { $0.cell.load == load && $0.speculation.attempts > 0 }
    let reasons = SpeculationAbort.allCases.filter { reason in tried.contains { $0.speculation[reason] > 0 } }
    var table = TextTable(head: ["without a lock", "mode", "attempts", "succeeded"] + reasons.map { "\($0)" })
    for row in tried {
      let counts = row.speculation
      func share(_ count: UInt64) -> String { Self.percent(Double(count) / Double(counts.attempts)) }
      table.add(
        [
          row.cell.setting.name, row.cell.system.name, NumberText.grouped(counts.attempts), share(counts.successes),
        ] + reasons.map { share(counts[$0]) })
    }
    return table
  }

  private static func text(_ ratio: Double?) -> String { ratio.map { NumberText.decimal($0, places: 2) } ?? "-" }

  private static func percent(_ share: Double?) -> String {
    share.map { NumberText.decimal(100 * $0, places: 2) + " %" } ?? "-"
  }
}
