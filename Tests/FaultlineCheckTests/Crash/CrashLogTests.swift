import Faultline
import FaultlineCheck
import Testing

/// A user's own structure under the explorer: the worked example of `docs/crash.md`.
@Suite struct CrashLogTests {
  @Test func aCorrectLogKeepsItsPromisesAtEveryPoint() throws {
    let report = try CrashExplorer().explore(LogScenario())
    #expect(report.finding == nil, "\(report.finding?.description ?? "")")
    // For each append: its word or not, its count or not; nothing else can be told apart.
    #expect(report.images == 1 + 4 * 2)
    #expect(report.sampledGroups == 0)
  }

  @Test(arguments: PersistentLog.Mistake.allCases)
  func everyMistakeIsFound(_ mistake: PersistentLog.Mistake) throws {
    let scenario = LogScenario(mistake: mistake)
    let finding = try #require(try CrashExplorer().explore(scenario).finding)
    #expect(finding.saved.cut.losses.count == 1, "\(finding)")
    let again = try #require(try CrashExplorer().replay(try SavedCrash(parsing: finding.text), of: scenario))
    #expect(again.problems == finding.problems)
    #expect(again.story == finding.story)
    #expect(again.image == finding.image)
    // A log without the mistake cannot be left like this.
    #expect(throws: SavedCrashError.self) { try CrashExplorer().replay(finding.saved, of: LogScenario()) }
  }

  @Test func theStoryOfAMissingFlushNamesWhatWasLost() throws {
    let finding = try #require(try CrashExplorer().explore(LogScenario(mistake: .forgetsFlush)).finding)
    #expect(
      finding.description == """
        log: the log has [0]; it should have [] or [100]
          append 100 begins
            stores 8 bytes at 64 (word 0): lost
            fence
            stores 8 bytes at 0 (the count)
          the power goes after event 4
        """)
  }

  @Test func aCrashThatDoesNotFitItsScenarioIsRefused() throws {
    let explorer = CrashExplorer()
    #expect(throws: SavedCrashError.self) {
      try explorer.replay(SavedCrash(scenario: "log", .init(events: 1000, losses: [])), of: LogScenario())
    }
    #expect(throws: SavedCrashError.self) {
      try explorer.replay(
        SavedCrash(scenario: "log", .init(events: 2, losses: [.init(line: 7, kept: 0)])), of: LogScenario())
    }
    for text in [
      "", "scenario log", "crash 3", "scenario log\ncrash x", "scenario log\ncrash 1\nloses 3",
      "scenario log\nrecovery 1",
    ] {
      #expect(throws: SavedCrashError.self) { try SavedCrash(parsing: text) }
    }
  }
}
