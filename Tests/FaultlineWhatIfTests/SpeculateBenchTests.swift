import Faultline
import Testing

@testable import FaultlineWhatIf

@Suite struct SpeculateBenchTests {
  /// A bench whose rates are chosen: of one thread under the address space's lock 10 million, and of the others as
  /// multiples of it. In every second round another program was in the way.
  private func bench(
    cost: Double = 1, twoThreads: Double = 1.9, besideWriter: Double = 0.9, besideMapper: Double = 0.9
  ) -> SpeculateBench {
    let rows = SpeculateBench.cells(processors: 2).map { cell in
      let share =
        switch cell.setting {
        case .together(1): 1.0
        case .together: twoThreads
        case .besideWriter: besideWriter
        case .besideMapper: besideMapper
        }
      let rate = 10e6 * share / (cell.system == .engine(.mmapLock) ? 1 : cost)
      var row = SpeculateBench.Row(cell: cell)
      for round in 0..<6 {
        let isCalm = round % 2 == 0
        row.samples.append(
          SpeculateBench.Sample(rate: isCalm ? rate : 1e5, waitedShare: isCalm ? 0.001 : 0.5))
      }
      if cell.system == .engine(.speculative) {
        row.speculation = counts(attempts: 1000, abortsFor: .areaChanged, 250)
      }
      return row
    }
    return SpeculateBench(rows: rows, isQuick: false)
  }

  private func counts(attempts: UInt64, abortsFor reason: SpeculationAbort, _ aborts: UInt64) -> SpeculationCounts {
    SpeculationCounts(attempts: attempts, aborts: [(reason, aborts)])
  }

  @Test func everyLoadRunsInEverySettingInEveryMode() throws {
    let bench = try SpeculateBench(quick: true, seconds: 0.002) { _ in }
    for load in FaultLoad.speculative {
      for system in FaultSystem.all where system != .kernel || load != .fileLoad {
        for setting in [FaultSetting.alone, .twoThreads, .besideWriter, .besideMapper] {
          let row = try #require(bench.row(load, system, setting))
          #expect(row.faultsPerSecond > 0)
          #expect((row.writerShare != nil) == (setting == .besideWriter))
          let isLockless = system == .engine(.speculative) || system == .engine(.speculativePerVMA)
          #expect((row.speculation.attempts > 0) == isLockless)
          // What the loads ask for is served: alone, nobody sends a fault back.
          if setting == .alone { #expect(row.speculation.abortCount == 0, "\(row.cell)") }
        }
      }
    }
    #expect(bench.report.bars.isEmpty, "a quick run judges nothing")
  }

  @Test func theBarsAreSevenForEachLoad() {
    #expect(bench().report.bars.count == 7 * FaultLoad.speculative.count)
    #expect(bench().report.holds)
    func failing(_ bench: SpeculateBench) -> Int {
      bench.report.bars.count { !$0.holds } / FaultLoad.speculative.count
    }
    #expect(failing(bench(cost: 1.06)) == 2)
    #expect(failing(bench(twoThreads: 1.8)) == 2)
    #expect(failing(bench(besideWriter: 0.7)) == 2)
    #expect(failing(bench(besideMapper: 0.7)) == 1)
  }

  @Test func whereMoreProcessorsAreMoreThreadsFault() {
    let settings = { (processors: Int) in Set(SpeculateBench.cells(processors: processors).map(\.setting)) }
    #expect(settings(2).count == 4 && settings(3).count == 4)
    #expect(settings(8).isSuperset(of: [.together(4), .together(8)]))
    #expect(settings(1 << 20).contains(.together(16)) && settings(1 << 20).count == 7)
  }

  @Test func reasonsStandAsSharesOfAttempts() throws {
    let bench = bench()
    let found = try #require(
      bench.report.cases.first { $0.name == "page_fault1, speculative, two threads, given up for areaChanged" })
    #expect(found.value == 0.25)
    #expect(bench.tableText.contains("areaChanged"))
    #expect(!bench.tableText.contains("readaheadDue"), "a reason that never occurs has no column")
  }

  @Test(arguments: [0, -1, 61, .nan, .infinity] as [Double])
  func aLengthThatMakesNoSenseIsRefused(seconds: Double) {
    #expect(throws: ThreadsBenchError.self) { try SpeculateBench(quick: true, seconds: seconds) { _ in } }
  }
}
