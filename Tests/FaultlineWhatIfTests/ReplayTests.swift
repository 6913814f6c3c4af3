import FaultlineWhatIf
import Testing

@Suite struct ReplayTests {
  private static func sequential(pages: UInt64) -> ReplayScript {
    var script = ReplayScript(pages: pages)
    script.map(pages: pages)
    script.touch(0..<pages)
    return script
  }

  @Test(arguments: [(4096, 1100), (16384, 275), (65536, 69), (524_288, 9), (2 << 20, 3)])
  func warmSequentialReadFaultsOnceAWindow(around: UInt64, faults: UInt64) throws {
    let counts = try Self.sequential(pages: 1100).counts(Policy(faultAroundBytes: around), cache: .warm)
    #expect(counts.majorFaults == 0)
    #expect(counts.minorFaults == faults)
    #expect(counts.pagesMapped == 1100)
    #expect(counts.readBytes == 0)
  }

  @Test func randomAdviceReadsWhatIsTouchedAndNothingElse() throws {
    var script = ReplayScript(pages: 4096)
    script.map(pages: 4096)
    script.touch(stride(from: 0, to: 4096, by: 64))
    let random = try script.counts(Policy(madvise: .random))
    #expect(random.majorFaults == 64)
    #expect(random.readBytes == 64 * 4096)
    let normal = try script.counts(Policy(madvise: .normal))
    #expect(normal.majorFaults == 64)
    #expect(normal.readBytes > 16 * random.readBytes)
  }

  @Test func forcedAdviceReplacesTheProgramsOwn() throws {
    var script = ReplayScript(pages: 4096)
    script.map(pages: 4096)
    script.add(.advise(TraceRange(process: 0, page: ReplayScript.mapPage, pages: 4096), advice: 1))
    script.touch(stride(from: 0, to: 4096, by: 64))
    #expect(try script.counts().readBytes == 64 * 4096)
    #expect(try script.counts(Policy(madvise: .normal)).readBytes > 64 * 4096)
    #expect(try script.counts(Policy(madvise: .random)).readBytes == 64 * 4096)
  }

  @Test func populateReadsAndMapsEverythingAhead() throws {
    var script = ReplayScript(pages: 1000)
    script.map(pages: 1000)
    script.touch([7])
    let counts = try script.counts(Policy(madvise: .populate))
    #expect(counts.pagesMapped == 1000)
    #expect(counts.pagesCached == 1000)
    #expect(counts.readBytes == 1000 * 4096)
  }

  @Test func withoutReadaheadEveryColdPageIsItsOwnRequest() throws {
    let counts = try Self.sequential(pages: 300).counts(Policy(readahead: .bytes(0)))
    #expect(counts.majorFaults == 300)
    #expect(counts.readRequests == 300)
  }

  @Test func cacheStartDecidesWhatIsRead() throws {
    var script = ReplayScript(pages: 100, resident: [TraceRun(page: 0, pages: 60)])
    script.map(pages: 100)
    script.touch(0..<100)
    #expect(try script.counts(cache: .cold).readBytes == 100 * 4096)
    #expect(try script.counts(cache: .warm).readBytes == 0)
    #expect(try script.counts(cache: .asIs).readBytes == 40 * 4096)
  }

  @Test func memoryOnlyFilesNeverRead() throws {
    var script = ReplayScript(pages: 64, fileSystem: "tmpfs", readAheadKB: nil)
    script.map(pages: 64)
    script.touch(0..<64)
    let counts = try script.counts(cache: .cold)
    #expect(counts.readBytes == 0)
    #expect(counts.majorFaults == 0)
    #expect(counts.minorFaults == 4)
  }

  @Test func forkedChildFaultsSharedMappingsAnew() throws {
    var script = Self.sequential(pages: 64)
    script.add(.fork(parent: 0, child: 1))
    script.add(.task(TraceTask(index: 1, threadID: 11, processID: 11, process: 1, name: "child")))
    script.touch(0..<64, task: 1)
    let counts = try script.counts(cache: .warm)
    #expect(counts.minorFaults == 8)
    #expect(counts.pagesMapped == 128)
  }

  @Test func execBeginsWithNothingMapped() throws {
    var script = Self.sequential(pages: 64)
    script.add(.processEnd(process: 0))
    script.add(.exec(process: 1, path: "/bin/other"))
    script.add(.task(TraceTask(index: 0, threadID: 10, processID: 10, process: 1, name: "other")))
    script.touch(0..<64)
    let counts = try script.counts(cache: .warm)
    #expect(counts.minorFaults == 4)
    #expect(counts.pagesMapped == 64)
  }

  @Test func unmappedAndMappedAgainFaultsAgain() throws {
    var script = Self.sequential(pages: 64)
    script.add(.unmap(TraceRange(process: 0, page: ReplayScript.mapPage, pages: 64)))
    script.map(pages: 64)
    script.touch(0..<64)
    let counts = try script.counts(cache: .warm)
    #expect(counts.minorFaults == 8)
    #expect(counts.pagesMapped == 128)
  }

  @Test func remappedPagesKeepTheirEntries() throws {
    var script = Self.sequential(pages: 64)
    let page = ReplayScript.mapPage
    script.add(.remap(process: 0, page: page, pages: 64, newPage: page + 4096, newPages: 64))
    script.touch(0..<64, at: page + 4096)
    let report = try script.answer(cache: .warm)
    #expect(report.trace.touches == 128)
    #expect(report.outcomes[0].counts.minorFaults == 4)
    #expect(report.outcomes[0].counts.pagesMapped == 64)
  }

  @Test func privateWritesAreCopiedOneByOne() throws {
    var script = ReplayScript(pages: 64)
    script.map(pages: 64, shared: false, writable: true)
    script.touch(0..<64, .read)
    script.touch(0..<64, .write)
    #expect(try script.counts(cache: .warm).minorFaults == 4 + 64)
  }

  @Test func readsOfADescriptorFillTheCache() throws {
    var script = ReplayScript(pages: 64)
    script.map(pages: 64)
    script.add(.fileRead(file: 0, offset: 0, length: 64 * 4096))
    script.touch(0..<64)
    let counts = try script.counts(cache: .cold)
    #expect(counts.majorFaults == 0)
    #expect(counts.pagesCached == 64)
  }

  @Test func aReadBeforeTheMappingFillsTheCacheAndMovesTheDescriptorsWindow() throws {
    var script = ReplayScript(pages: 4096)
    script.add(.fileRead(file: 0, offset: 0, length: 100))
    script.map(pages: 4096)
    script.touch([0])
    // One page was asked for at the start of the file: a first window of four pages.
    #expect(try script.counts(cache: .cold).pagesCached == 4)
    #expect(try script.counts(cache: .cold).majorFaults == 0)
  }

  @Test func aMappingIsFilledByItsOwnCallBeforeAPolicyCanAdvise() throws {
    var script = ReplayScript(pages: 4096)
    script.map(pages: 100)
    script.add(.populate(TraceRange(process: 0, page: ReplayScript.mapPage, pages: 100), how: .mapPopulate))
    script.touch([50])
    let normal = try script.counts(Policy(madvise: .normal))
    #expect(normal.pagesCached > 100)
    #expect(try script.counts(Policy(madvise: .random)).pagesCached == normal.pagesCached)
  }

  @Test func readaheadGoesOnOnlyThroughTheDescriptionThatBeganIt() throws {
    func pagesCached(mappedBy openFile: Int) throws -> UInt64 {
      var script = ReplayScript(pages: 4096)
      script.add(.fileRead(file: 0, offset: 0, length: 100, openFile: 1))
      script.map(pages: 4096, openFile: openFile)
      script.touch([1])
      return try script.counts(cache: .cold).pagesCached
    }
    // Page 1 carries the marker of a first window of four. Its own description grows that window, another makes a large one.
    #expect(try pagesCached(mappedBy: 1) == 4 + 8)
    #expect(try pagesCached(mappedBy: 2) == 4 + 32)
  }

  @Test func untimedTouchesAreIssuedAndCounted() throws {
    var script = ReplayScript(pages: 64)
    script.map(pages: 64)
    script.touch(0..<10)
    script.touch(10..<13, kind: .untimed)
    let report = try script.answer(cache: .warm)
    #expect(report.trace.touches == 13)
    #expect(report.trace.untimed == 3)
    #expect(report.notes.contains { $0.hasPrefix("3 touches have no time") })
  }

  @Test func nonsenseInARecordNeitherTrapsNorCounts() throws {
    var script = ReplayScript(pages: 64)
    let far = (UInt64(1) << 52) - 1
    script.map(pages: far, at: far)
    script.map(pages: 64, filePage: far)
    script.map(pages: 64)
    script.add(.unmap(TraceRange(process: 7, page: 0, pages: far)))
    script.add(.protect(TraceRange(process: 0, page: 1, pages: 0), protection: .write))
    script.add(.remap(process: 0, page: 5, pages: 5, newPage: far, newPages: 5))
    script.add(.truncate(file: 0, bytes: .max))
    script.add(.fileAdvise(file: 0, offset: .max, length: .max, advice: -5))
    script.add(.readahead(file: 0, offset: .max, length: 1))
    script.add(.fileRead(file: 0, offset: .max - 1, length: .max))
    script.add(.fork(parent: 40, child: 0))
    script.touch([0, far - ReplayScript.mapPage - 1])
    let counts = try script.counts(cache: .warm)
    #expect(counts.minorFaults <= 1)
  }

  @Test func standardTableAnswersEveryPolicyAndIsTheSameTwice() throws {
    let trace = try Self.sequential(pages: 500).trace()
    let first = try WhatIf().answer(on: trace, costs: FixedCostModel())
    let second = try WhatIf().answer(on: trace, costs: FixedCostModel())
    #expect(first.outcomes.map(\.policy.name) == Policy.standard(deviceReadaheadBytes: 128 << 10).map(\.name))
    #expect(first.json.text == second.json.text)
    #expect(first.cache == .cold)
  }

  @Test func programWithoutChosenFilesIsToldWhatToDo() throws {
    var script = ReplayScript(pages: 64)
    script.map(pages: 64, text: true)
    let trace = try script.trace()
    let error = #expect(throws: WhatIfError.self) { try WhatIf().answer(on: trace, costs: FixedCostModel()) }
    #expect(error == .nothingChosen(program: "program", patterns: [], otherFiles: 1))
    #expect(error?.description.contains("--include-text") == true)
    var question = WhatIf()
    question.files.includesText = true
    #expect(try question.answer(on: trace, costs: FixedCostModel()).trace.files.count == 1)
  }

  @Test func coldStartOfForeignFilesIsRefused() throws {
    var script = ReplayScript(pages: 64, owned: false, resident: nil)
    script.map(pages: 64)
    script.touch(0..<64)
    let trace = try script.trace()
    var question = WhatIf()
    question.cache = .cold
    #expect(throws: WhatIfError.residencyUnknown(paths: ["/data/file"], purpose: "--cache cold")) {
      try question.answer(on: trace, costs: FixedCostModel())
    }
    question.cache = nil
    let report = try question.answer(on: trace, costs: FixedCostModel())
    #expect(report.cache == .asIs)
    #expect(report.outcomes.allSatisfy { $0.counts.readBytes == 0 })
  }

  @Test(arguments: [
    (["*.idx"], "/data/a.idx", true), (["*.idx"], "/data/a.dat", false), (["/data/*"], "/data/x/y", true),
    (["/srv/*"], "/data/x", false), (["a", "b"], "/x/b", true), (["[ab"], "/x/a", false),
  ])
  func patternsChooseByNameOrPath(patterns: [String], path: String, isChosen: Bool) {
    #expect(FileChoice(patterns: patterns).contains(path: path, isText: true) == isChosen)
  }
}
