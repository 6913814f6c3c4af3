import Foundation
import Testing

@testable import FaultlineWhatIf

@Suite struct AroundBenchTests {
  private func sweep(_ kind: AroundPattern.Kind, _ pages: UInt64 = 4096) throws -> AroundSweep {
    try AroundSweep(pattern: AroundPattern(kind, filePages: pages), costs: FixedCostModel())
  }

  @Test(arguments: [AroundPattern.Kind.sequential, .random])
  func everyPageOnceFaultsOncePerWindow(_ kind: AroundPattern.Kind) throws {
    for outcome in try sweep(kind).outcomes {
      #expect(outcome.faults == 4096 >> UInt64(outcome.order))
      #expect(outcome.pagesMapped == 4096)
    }
  }

  @Test func aRandomOrderVisitsEveryPageOnceAndNotInOrder() {
    let pages = AroundPattern(.random, filePages: 4096).pages
    #expect(pages.sorted() == Array(0..<4096))
    #expect(zip(pages, pages.dropFirst()).count { $0 + 1 == $1 } < 41)
  }

  @Test func thinlySpreadTouchesMapWholeWindowsInVain() throws {
    for outcome in try sweep(.worst).outcomes {
      #expect(outcome.faults == 8)
      #expect(outcome.pagesMapped == 8 * outcome.windowPages)
    }
  }

  @Test func estimatedTimeIsFaultsAndFurtherPages() throws {
    let costs = FixedCostModel().costs
    let outcome = try sweep(.worst)[4]
    #expect(outcome.nanoseconds == 8 * costs.faultNanoseconds + 8 * 15 * costs.mappedPageNanoseconds)
  }

  @Test func publishedSharesExistForTheOrdersThatWerePosted() throws {
    let published = try #require(AroundPattern.Kind.sequential.published)
    #expect(published.faultShare(0) == 1)
    #expect(published.faultShare(2) == nil)
    #expect(published.faultShare(4).map { abs($0 - 1.0 / 16) < 0.001 } == true)
    #expect(published.timeShare(9) == 5.11 / 7.25)
  }

  @Test func aRecordingWithFaultAroundNeedsItsFirstTouches() throws {
    let path = RecordedProgram.git.aroundPath
    #expect(throws: TextTraceError.notFirstTouch(path: path)) { try AroundRecordings([path]) }
    let both = try AroundRecordings([path, RecordedProgram.git.firstTouchPath])
    #expect(both.all.map(\.name) == ["git_status"])
    #expect(both.all.map(\.recordedFaults) == [131])
  }

  @Test func theReportHasEveryWindowOfEveryLoadAndItsBarsHold() throws {
    let paths = [RecordedProgram.git.firstTouchPath, RecordedProgram.git.aroundPath]
    let bench = try AroundBench(tracePaths: paths, quick: true)
    #expect(bench.sweeps.map(\.name) == ["sequential", "random", "random 1 %", "1 page per 2 MiB", "git_status"])
    #expect(bench.report.bars.isEmpty)
    let judged = AroundBench(sweeps: bench.sweeps, costs: bench.costs, kernel: bench.kernel, isQuick: false)
    #expect(judged.report.holds, "\(judged.report.bars.map(\.text))")
    for order in AroundSweep.orders {
      #expect(judged.report.cases.contains { $0.name == "git_status, order \(order), faults" })
    }
    let recorded = judged.report.cases.first { $0.name == "git_status, order 4, faults" }
    #expect(recorded?.value == 131 && recorded?.anchor == 131)
  }

  @Test func aWrongCountFailsItsBar() throws {
    var sweep = try sweep(.sequential)
    sweep.recordedFaults = sweep[4].faults * 2
    let bench = AroundBench(sweeps: [sweep], costs: FixedCostModel().costs, kernel: [], isQuick: false)
    let failed = bench.report.bars.filter { !$0.holds }.map(\.name)
    #expect(failed.contains("sequential: agreement with the faults that the kernel counted, percent"))
  }

  @Test func thePageLoadsNothingAndNamesEveryLoad() throws {
    var sweeps = try AroundPattern.Kind.allCases.map { try sweep($0, 1024) }
    sweeps.append(sweeps[0])
    let bench = AroundBench(sweeps: sweeps, costs: FixedCostModel().costs, kernel: [], isQuick: true)
    let page = bench.html
    for kind in AroundPattern.Kind.allCases { #expect(page.contains(kind.name)) }
    for word in ["<script", "http:", "https:", "@import", "url("] { #expect(!page.contains(word)) }
    #expect(page.components(separatedBy: "<svg").count == page.components(separatedBy: "</svg>").count)
    #expect(!page.contains("nan") && !page.contains("inf"))
  }

  @Test func textInThePageIsEscaped() {
    #expect(HTMLText.escape("<a href=\"x\">&") == "&lt;a href=&quot;x&quot;&gt;&amp;")
  }

  @Test func theCommandPrintsOneObjectAndWritesThePage() throws {
    let file = try TemporaryTraceFile()
    let run = try CommandRun(["bench", "around", "--quick", "--json", "--html", file.path])
    #expect(run.code == 0)
    let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
    #expect(object?["benchmark"] as? String == "around")
    #expect((object?["cases"] as? [[String: Any]])?.count ?? 0 >= 200)
    #expect(try String(contentsOfFile: file.path, encoding: .utf8).hasPrefix("<!DOCTYPE html>"))
    #expect(try CommandRun(["bench", "around", "--quick", "--trace", "/etc/passwd"]).code == 2)
  }
}
