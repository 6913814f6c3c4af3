import FaultlineCheck
import FaultlineFS
import Testing

/// What programs on files may count on after a crash.
@Suite struct FileScenarioTests {
  static let limits = CrashLimits(combinations: 64, samples: 2, recoveries: 0)
  static let modes = MetadataMode.allCases

  @Test(arguments: FileScenario.programs.map(\.name), modes)
  func everyPromiseHoldsAfterEveryCrash(program: String, mode: MetadataMode) throws {
    let scenario = try #require(FileScenario.named("\(program)/\(mode.name)"))
    let report = try CrashExplorer(Self.limits).explore(scenario)
    #expect(report.finding == nil)
    #expect(report.points > 20 && report.checks > 15)
  }

  @Test(arguments: modes)
  func aCrashDuringRecoveryIsAsGoodAsOne(mode: MetadataMode) throws {
    let scenario = try #require(FileScenario.named("unlink/\(mode.name)"))
    let report = try CrashExplorer(CrashLimits(combinations: 32, samples: 1, recoveries: 1)).explore(scenario)
    #expect(report.finding == nil)
    #expect(report.recoveries > 10 && report.recoveryImages > report.recoveries)
  }

  @Test func twoThreadsMeetInTheSameOrderEachTime() throws {
    let scenario = try #require(FileScenario.named("racing-sync/journal"))
    let reports = try (0..<4).map { _ in try CrashExplorer(Self.limits).explore(scenario) }
    for report in reports {
      #expect(report.points == reports[0].points)
      #expect(report.images == reports[0].images && report.checks == reports[0].checks)
    }
  }

  @Test func aScenarioIsCalledAsItWasNamed() {
    #expect(FileScenario.named("append/journal")?.name == "append/journal")
    for name in [
      "", "append", "append/", "append/journal/", "append/journal/nothing", "nothing/journal", "append/nothing",
    ] {
      #expect(FileScenario.named(name) == nil)
    }
  }
}
