#if DEBUG || ModelCheck

  import FaultlineCheck
  import FaultlineFS
  import Testing

  /// That an explorer which finds nothing has looked: every fault on purpose breaks a promise, with few events and few losses.
  @Suite struct CrashBugTests {
    /// A program that brings each fault out.
    static let programs: [(bug: CrashBug, program: String)] = [
      (.engine(.entersBeforeSync), "sparse"),
      (.engine(.entersWithoutSync), "read-first"),
      (.engine(.protectsOneMapping), "two-sizes"),
      (.engine(.syncsWrongRange), "overwrite"),
      (.fileSystem(.commitsWrongTransaction), "append"),
      (.fileSystem(.announcesCommitEarly), "racing-sync"),
      (.fileSystem(.testsDirtyBeforeAllocating), "sparse"),
      (.fileSystem(.skipsWaitForCommitting), "racing-sync"),
      (.fileSystem(.writtenBeforeZeroed), "sparse"),
      (.fileSystem(.skipsFlushBeforeRecord), "append"),
      (.fileSystem(.writesHomeBeforeCommit), "append"),
      (.fileSystem(.reusesFreedBlocksEarly), "truncate"),
      (.fileSystem(.recoveryKeepsSequence), "remount"),
    ]

    @Test func everyFaultHasAProgram() { #expect(Self.programs.map(\.bug.name) == CrashBug.all.map(\.name)) }

    @Test(arguments: programs.map { "\($0.program)/journal/\($0.bug.name)" })
    func aFaultIsFoundAndItsCrashRepeats(name: String) throws {
      let scenario = try #require(FileScenario.named(name))
      let explorer = CrashExplorer(FileScenarioTests.limits)
      let finding = try #require(try explorer.explore(scenario).finding)
      let lost = finding.saved.cut.losses.count + (finding.saved.recovery?.losses.count ?? 0)
      #expect(lost <= 1, "\(finding)")
      let again = try #require(try explorer.replay(try SavedCrash(parsing: finding.text), of: scenario))
      #expect(again.problems == finding.problems)
      #expect(again.image == finding.image)
    }
  }

#endif
