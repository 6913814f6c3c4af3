extension AroundBench {
  /// The tables for a terminal: one for each load, then what was held against the kernel, then the bars.
  public var tableText: String {
    let intro =
      "Faults and mapped pages are counted by the engine, every file page cached. Time is estimated from costs "
      + "\(costs.origin): \(NumberText.decimal(costs.faultNanoseconds, places: 0)) ns a fault, "
      + "\(NumberText.decimal(costs.mappedPageNanoseconds, places: 1)) ns each further page it maps.\n"
      + "Shares are of the window of 1 page. Beside them stands what Linux 3.15's fault-around was posted with in 2014."
    let parts = [intro] + sweeps.map(AroundBench.table) + [kernelText, recordedText, barText]
    return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private static func table(_ sweep: AroundSweep) -> String {
    var table = TextTable(head: [
      "window", "faults", "pages mapped", "est. time", "faults, share", "2014", "time, share", "2014",
    ])
    for outcome in sweep.outcomes {
      let order = outcome.order
      table.add([
        "\(outcome.windowPages) \(outcome.windowPages == 1 ? "page" : "pages")", NumberText.grouped(outcome.faults),
        NumberText.grouped(outcome.pagesMapped), NumberText.duration(nanoseconds: outcome.nanoseconds),
        share(sweep.faultShare(order)), share(sweep.published?.faultShare(order)),
        share(sweep.timeShare(order)), share(sweep.published?.timeShare(order)),
      ])
    }
    let beside = sweep.published.map { "\n2014: \($0.name)" } ?? ""
    return "\(sweep.name): \(sweep.about)\n\(table.text)\(beside)"
  }

  static func share(_ value: Double?) -> String { value.map { NumberText.decimal($0, places: 4) } ?? "-" }

  private var kernelText: String {
    kernel.map { count in
      "\(count.name), file of 32 MiB: the running kernel counts \(NumberText.grouped(count.counted)) faults with its "
        + "window of \(1 << count.order) pages, the engine \(NumberText.grouped(count.predicted))"
    }.joined(separator: "\n")
  }

  private var recordedText: String {
    sweeps.compactMap { sweep in
      sweep.recordedFaults.map { recorded in
        "\(sweep.name): the recording kernel counted \(NumberText.grouped(recorded)) faults in files with its window of "
          + "16 pages, the engine \(NumberText.grouped(sweep[AroundBench.usualOrder].faults))"
      }
    }.joined(separator: "\n")
  }

  private var barText: String { report.bars.map(\.text).joined(separator: "\n") }
}
