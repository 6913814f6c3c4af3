import Faultline

extension SpeculateBench {
  /// The modes without a lock.
  static let lockless: [LockMode] = [.speculative, .speculativePerVMA]

  /// The cases and bars of `--json`.
  public var report: BenchReport {
    let disturbed = BenchReport.Case(
      name: "measurements in which a thread waited for a processor", value: disturbedShare, unit: "share")
    return BenchReport(
      benchmark: "speculate", machine: HostText.machine,
      cases: rows.filter { $0.cell.system != .kernel }.flatMap(cases) + [disturbed] + roundTrip,
      bars: isQuick ? [] : FaultLoad.speculative.flatMap { load in Self.lockless.flatMap { bars(load, $0) } })
  }

  private var roundTrip: [BenchReport.Case] {
    roundTrips.isEmpty
      ? []
      : [
        BenchReport.Case(name: "a cache line to another thread and back", value: roundTrips.median, unit: "nanoseconds")
      ]
  }

  private func cases(_ row: Row) -> [BenchReport.Case] {
    let cell = row.cell
    let name = "\(cell.load.name), \(cell.system.name), \(cell.setting.name)"
    let kernel = self.row(cell.load, .kernel, cell.setting)
    let source = kernel.map { _ in "the same loop on the running kernel" }
    var cases = [
      BenchReport.Case(
        name: "\(name), faults", value: row.faultsPerSecond / 1e6, unit: "million faults/s",
        anchor: kernel.map { $0.faultsPerSecond / 1e6 }, anchorSource: source)
    ]
    if cell.setting != .alone, let share = share(cell) {
      cases.append(
        BenchReport.Case(
          name: "\(name), of one thread's rate", value: share, unit: "share",
          anchor: kernel.flatMap { self.share($0.cell) },
          anchorSource: source))
    }
    if cell.system != .engine(.mmapLock), let cost = cost(cell) {
      cases.append(BenchReport.Case(name: "\(name), time of mmapLock's", value: cost, unit: "times"))
    }
    if let share = row.writerShare {
      cases.append(BenchReport.Case(name: "\(name), time of the other thread in changes", value: share, unit: "share"))
    }
    guard row.speculation.attempts > 0 else { return cases }
    let attempts = Double(row.speculation.attempts)
    cases.append(BenchReport.Case(name: "\(name), attempts without a lock", value: attempts, unit: "attempts"))
    return cases
      + SpeculationAbort.allCases.filter { row.speculation[$0] > 0 }.map { reason in
        BenchReport.Case(
          name: "\(name), given up for \(reason)", value: Double(row.speculation[reason]) / attempts,
          unit: "share of attempts")
      }
  }

  // MARK: Bars

  private func bars(_ load: FaultLoad, _ mode: LockMode) -> [BenchReport.Bar] {
    func cell(_ setting: FaultSetting) -> FaultCell { FaultCell(load: load, system: .engine(mode), setting: setting) }
    func kept(_ setting: FaultSetting) -> BenchReport.Bar {
      BenchReport.Bar(
        name: "\(load.name), \(mode): share of its rate that a thread keeps \(setting.name)", wanted: 0.8,
        got: share(cell(setting)) ?? 0)
    }
    let bars = [
      BenchReport.Bar(
        name: "\(load.name), \(mode): time of one thread as a multiple of mmapLock's", .atMost, wanted: 1.05,
        got: cost(cell(.alone)) ?? .infinity),
      BenchReport.Bar(
        name: "\(load.name), \(mode): two threads as a multiple of one", wanted: 1.85,
        got: share(cell(.twoThreads)) ?? 0),
      kept(.besideWriter),
    ]
    // Who watches all areas gives up beside a thread that never pauses: shown, with its reasons, and not judged.
    return bars + (mode == .speculativePerVMA ? [kept(.besideMapper)] : [])
  }
}
