import Faultline

extension AroundBench {
  /// The cases and bars of `--json`.
  public var report: BenchReport {
    BenchReport(
      benchmark: "around", machine: HostText.machine,
      cases: sweeps.flatMap { sweep in sweep.outcomes.flatMap { cases(sweep, $0) } } + kernelCases,
      bars: isQuick ? [] : bars)
  }

  private func cases(_ sweep: AroundSweep, _ outcome: AroundOutcome) -> [BenchReport.Case] {
    let name = "\(sweep.name), order \(outcome.order)"
    let recorded = outcome.order == AroundBench.usualOrder ? sweep.recordedFaults : nil
    let source = sweep.published.map { "share posted in 2014: \($0.name)" }
    let faults = sweep.published?.faultShare(outcome.order)
    let time = sweep.published?.timeShare(outcome.order)
    return [
      BenchReport.Case(
        name: "\(name), faults", value: Double(outcome.faults), unit: "faults", anchor: recorded.map { Double($0) },
        anchorSource: recorded.map { _ in "the same program recorded with fault-around on, at the same addresses" }),
      BenchReport.Case(name: "\(name), pages mapped", value: Double(outcome.pagesMapped), unit: "pages"),
      BenchReport.Case(name: "\(name), estimated time", value: outcome.nanoseconds, unit: "nanoseconds"),
      BenchReport.Case(
        name: "\(name), faults of order 0", value: sweep.faultShare(outcome.order), unit: "share", anchor: faults,
        anchorSource: faults.flatMap { _ in source }),
      BenchReport.Case(
        name: "\(name), estimated time of order 0", value: sweep.timeShare(outcome.order), unit: "share", anchor: time,
        anchorSource: time.flatMap { _ in source }),
    ]
  }

  private var kernelCases: [BenchReport.Case] {
    kernel.map { count in
      BenchReport.Case(
        name: "\(count.name) of 32 MiB, order \(count.order), faults", value: Double(count.predicted), unit: "faults",
        anchor: Double(count.counted), anchorSource: "the same touches on the running kernel")
    }
  }

  // MARK: Bars

  private var bars: [BenchReport.Bar] {
    [patternBar(.sequential, "exactly pages / window faults"), patternBar(.random, "exactly pages / window faults")]
      + [worstBar] + kernelBars + recordedBars
  }

  private func patternBar(_ kind: AroundPattern.Kind, _ law: String) -> BenchReport.Bar {
    let holding = sweeps.first { $0.name == kind.name }.map { sweep in
      sweep.outcomes.count { $0.faults == (sweep[0].faults + $0.windowPages - 1) / $0.windowPages }
    }
    return BenchReport.Bar(
      name: "\(kind.name): windows with \(law)", wanted: Double(AroundSweep.orders.count), got: Double(holding ?? 0))
  }

  private var worstBar: BenchReport.Bar {
    let kind = AroundPattern.Kind.worst
    let holding = sweeps.first { $0.name == kind.name }.map { sweep in
      sweep.outcomes.count { $0.faults == sweep[0].faults && $0.pagesMapped == sweep[0].faults * $0.windowPages }
    }
    return BenchReport.Bar(
      name: "\(kind.name): windows with as many faults as touches and a whole window mapped by each",
      wanted: Double(AroundSweep.orders.count), got: Double(holding ?? 0))
  }

  private var kernelBars: [BenchReport.Bar] {
    guard !kernel.isEmpty else { return [] }
    let equal = kernel.count { $0.counted == $0.predicted }
    return [
      BenchReport.Bar(
        name: "patterns that fault on the running kernel as often as predicted", wanted: Double(kernel.count),
        got: Double(equal))
    ]
  }

  private var recordedBars: [BenchReport.Bar] {
    sweeps.compactMap { sweep in
      sweep.recordedFaults.map { recorded in
        let difference = abs(Double(sweep[AroundBench.usualOrder].faults) - Double(recorded)) / Double(max(1, recorded))
        return BenchReport.Bar(
          name: "\(sweep.name): agreement with the faults that the kernel counted, percent", wanted: 97,
          got: 100 * (1 - difference))
      }
    }
  }
}
