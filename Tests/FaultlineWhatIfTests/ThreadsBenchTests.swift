import Faultline
import Testing

@testable import FaultlineWhatIf

@Suite struct ThreadsBenchTests {
  /// A bench whose rates are chosen: of one thread 10 million, and of the others as multiples of it.
  private func bench(twoThreads: Double, beside: Double, besideUnderMmapLock: Double) -> ThreadsBench {
    let rows = ThreadsBench.cells.map { cell in
      let share =
        switch cell.setting {
        case .alone: 1.0
        case .together: twoThreads
        case .besideMapper, .besideWriter: cell.system == .engine(.mmapLock) ? besideUnderMmapLock : beside
        }
      // The machine was slower in two rounds of three: shares are of rates of the same round.
      return ThreadsBench.Row(cell: cell, rates: [10e6 * share, 4e6 * share, 2e6 * share])
    }
    return ThreadsBench(rows: rows, isQuick: false)
  }

  @Test func everyLoadRunsInEverySettingUnderEveryLockAndOnTheKernel() throws {
    let bench = try ThreadsBench(quick: true, seconds: 0.002) { _ in }
    #expect(bench.rows.map(\.cell) == ThreadsBench.cells)
    for row in bench.rows {
      #expect(row.faultsPerSecond > 0)
      let median = try #require(row.latencies.latency(atPercentile: 50))
      let longest = try #require(row.latencies.latency(atPercentile: 100))
      #expect(median > 0 && median <= longest)
    }
    #expect(bench.report.bars.isEmpty, "a quick run judges nothing")
  }

  @Test func theBarsAreThreeForEachLoad() {
    let good = bench(twoThreads: 1.9, beside: 0.85, besideUnderMmapLock: 0.5).report
    #expect(good.bars.count == 9)
    #expect(good.holds)
    #expect(bench(twoThreads: 1.8, beside: 0.85, besideUnderMmapLock: 0.5).report.bars.count { !$0.holds } == 3)
    #expect(bench(twoThreads: 1.9, beside: 0.75, besideUnderMmapLock: 0.5).report.bars.count { !$0.holds } == 3)
    #expect(bench(twoThreads: 1.9, beside: 0.85, besideUnderMmapLock: 0.8).report.bars.count { !$0.holds } == 3)
  }

  @Test func theFiguresStandBesideTheKernels() throws {
    let report = bench(twoThreads: 1.9, beside: 0.85, besideUnderMmapLock: 0.5).report
    let share = try #require(report.cases.first { $0.name == "page_fault2, perVMA, two threads, of one thread's rate" })
    #expect(share.value == 1.9)
    #expect(share.anchor == 1.9)
    #expect(!report.cases.contains { $0.name.contains("kernel") })
  }

  @Test func threadsAddUpTheirRatesAndKeepTheWorstWait() throws {
    var sum = FaultMeasurement.timed
    for (nanoseconds, waited) in [(100, 0.1), (300, 0.3), (200, 0.2)] as [(UInt64, Double)] {
      var one = FaultMeasurement.timed
      one.note(nanoseconds: nanoseconds)
      one.faultsPerSecond = 5
      one.waitedShare = waited
      sum.merge(one)
    }
    #expect(sum.faultsPerSecond == 15)
    #expect(sum.waitedShare == 0.3)
    #expect(sum.latency(atPercentile: 50) == 200)
    #expect(sum.latency(atPercentile: 100) == 300)
  }

  @Test(arguments: [0, -1, 61, .nan, .infinity] as [Double])
  func aLengthThatMakesNoSenseIsRefused(seconds: Double) {
    #expect(throws: ThreadsBenchError.self) { try ThreadsBench(quick: true, seconds: seconds) { _ in } }
  }
}
