import Faultline

extension ThreadsBench {
  /// The cases and bars of `--json`.
  public var report: BenchReport {
    let measured = rows.filter { $0.cell.system != .kernel }.flatMap { cases($0, besides: kernelRow(of: $0.cell)) }
    let waited = BenchReport.Case(
      name: "time for which threads waited for a processor", value: waitedShare, unit: "share")
    return BenchReport(
      benchmark: "threads", machine: HostText.machine, cases: measured + [waited],
      bars: isQuick ? [] : FaultLoad.willItScale.flatMap(bars))
  }

  /// What latencies are told at.
  static let percentiles: [(name: String, percent: Double)] = [
    ("p50", 50), ("p99", 99), ("p99.9", 99.9), ("max", 100),
  ]

  private func kernelRow(of cell: FaultCell) -> Row? {
    rows.first { $0.cell == FaultCell(load: cell.load, system: .kernel, setting: cell.setting) }
  }

  private func cases(_ row: Row, besides kernel: Row?) -> [BenchReport.Case] {
    let name = "\(row.cell.load.name), \(row.cell.system.name), \(row.cell.setting.name)"
    let source = "the same loop on the running kernel"
    let rate = BenchReport.Case(
      name: "\(name), faults", value: row.faultsPerSecond / 1e6, unit: "million faults/s",
      anchor: kernel.map { $0.faultsPerSecond / 1e6 }, anchorSource: kernel.map { _ in source })
    let share = self.share(row.cell.load, row.cell.system, row.cell.setting).map { share in
      let anchor = self.share(row.cell.load, .kernel, row.cell.setting)
      return BenchReport.Case(
        name: "\(name), of one thread's rate", value: share, unit: "share", anchor: anchor,
        anchorSource: anchor.map { _ in source })
    }
    let latencies = Self.percentiles.compactMap { percentile in
      row.latencies.latency(atPercentile: percentile.percent).map { value in
        let anchor = kernel?.latencies.latency(atPercentile: percentile.percent)
        return BenchReport.Case(
          name: "\(name), latency \(percentile.name)", value: Double(value), unit: "nanoseconds",
          anchor: anchor.map { Double($0) }, anchorSource: anchor.map { _ in source })
      }
    }
    return [rate] + (row.cell.setting == .alone ? [] : [share].compactMap { $0 }) + latencies
  }

  // MARK: Bars

  private func bars(_ load: FaultLoad) -> [BenchReport.Bar] {
    let perVMA = FaultSystem.engine(.perVMA)
    let beside = share(load, perVMA, .besideMapper) ?? 0
    let falling = share(load, .engine(.mmapLock), .besideMapper) ?? 0
    return [
      BenchReport.Bar(
        name: "\(load.name), perVMA: two threads as a multiple of one", wanted: 1.85,
        got: share(load, perVMA, .twoThreads) ?? 0),
      BenchReport.Bar(
        name: "\(load.name), perVMA: share of its rate that a thread keeps beside mmap/munmap", wanted: 0.8, got: beside
      ),
      BenchReport.Bar(
        name: "\(load.name): that share as a multiple of the one kept under mmapLock", wanted: 1.25,
        got: falling == 0 ? 0 : beside / falling),
    ]
  }
}
