import Faultline
import Testing

@testable import FaultlineWhatIf

@Suite struct PinBenchTests {
  /// A bench whose times are chosen so that every bar holds; `change` spoils one.
  private func bench(
    _ change: (_ setting: PinSetting, _ round: inout PinWorker.Round) -> Void = { _, _ in }, write: UInt64 = 1_000,
    twoThreads: Double = 2
  ) -> PinBench {
    let rows = FolioSize.allCases.flatMap(PinSetting.measured).map { setting in
      var round = PinWorker.Round(get: 1_000, put: 1_000)
      if setting.path == .eachPage { round.get = 25_000 }
      if setting.form == .runs { round.get = setting.size == .giant ? 1 : 100 }
      change(setting, &round)
      // The machine was slower in one round of three: ratios are of times of the same round.
      let slow = PinWorker.Round(get: round.get * 4, put: round.put * 4)
      return PinBench.Row(setting: setting, pageCount: 1 << 22, rounds: [round, slow, round])
    }
    let loops = PinBench.Loops(
      getEach: [24_000, 96_000, 24_000], write: [write, 4 * write, write], read: [1_000, 4_000, 1_000])
    let threads = [HoldKind.reference, .pin].map {
      PinBench.ThreadRow(kind: $0, one: [50e6, 40e6, 50e6], two: [50e6, 40e6, 50e6].map { $0 * twoThreads })
    }
    return PinBench(rows: rows, loops: loops, threadRows: threads, isQuick: false)
  }

  private func failing(_ bench: PinBench) -> [String] { bench.report.bars.filter { !$0.holds }.map(\.name) }

  @Test func aQuickRunMeasuresEverySettingAndJudgesNothing() throws {
    let bench = try PinBench(quick: true) { _ in }
    #expect(bench.rows.map(\.setting) == FolioSize.allCases.flatMap(PinSetting.measured))
    #expect(bench.rows.allSatisfy { $0.rounds.count == 1 && $0.rounds[0].get > 0 && $0.rounds[0].put > 0 })
    #expect(bench.threadRows.allSatisfy { $0.one[0] > 0 && $0.two[0] > 0 })
    #expect(bench.report.bars.isEmpty)
  }

  @Test func eachBarSeesWhatItIsFor() {
    #expect(bench().report.bars.count == 15)
    #expect(failing(bench()) == [])
    let slowPin = bench { setting, round in
      if setting == PinSetting(kind: .pin) { round.get = 1_130 }
    }
    #expect(failing(slowPin) == ["pin as a multiple of get"])
    let slowUnpin = bench { setting, round in
      if setting == PinSetting(kind: .pin) { round.put = 2_600 }
    }
    #expect(failing(slowUnpin) == ["unpin as a multiple of reading that array in C"])
    let slowGet = bench { setting, round in
      if setting == PinSetting() { round.get = 1_250 }
    }
    #expect(failing(slowGet) == ["get: a step a page as a multiple of a step a folio"])
    let slowEach = bench { setting, round in
      if setting == PinSetting(path: .eachPage) { round.get = 28_000 }
    }
    #expect(failing(slowEach) == ["get with a step a page, as a multiple of the same loop in C"])
    let slowHeads = bench { setting, round in
      if setting.form == .runs, setting.size == .giant, setting.kind == .pin { round.get = 11 }
    }
    #expect(failing(slowHeads) == ["pin, 1 GiB: all pages as a multiple of heads only"])
    #expect(failing(bench(write: 600)).count == 2)
    #expect(failing(bench(twoThreads: 1.85)).count == 2)
  }

  @Test func theSeedsFiguresStandBesideItsSettingsAlone() throws {
    let cases = bench().report.cases
    let anchored = cases.filter { $0.anchor != nil && $0.unit == "milliseconds" }
    #expect(anchored.map(\.anchor) == [75, 3.6, 125, 3.8])
    #expect(anchored.allSatisfy { $0.name.contains("2 MiB") && $0.name.contains("512 pages a call") })
  }

  @Test func theMetadataOfATiBIsAsPublished() {
    let bytes = bench().report.cases.filter { $0.unit == "bytes" }
    let mebibytes: [UInt64] = [16_384, 4_096 + 32, 8 + 32]
    let wanted = mebibytes.map { Double($0 << 20) }
    #expect(bytes.map(\.value) == wanted)
    #expect(bytes.allSatisfy { $0.anchor == wanted[0] })
  }

  @Test func theLettersPrintTheLinesOfGupTest() throws {
    var options = GupTest.Options()
    options.command = .pinFast
    options.mebibytes = 8
    options.pagesPerCall = 123
    options.repeats = 2
    options.threads = 2
    let lines = try GupTest(options).text.split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines.allSatisfy { $0.wholeMatch(of: #/PIN_FAST_BENCHMARK: Time: get:\d+ put:\d+ us/#) != nil })
  }

  @Test(arguments: GupTest.Command.allCases, FolioSize.allCases)
  func everyCommandTakesEveryFolio(_ command: GupTest.Command, _ folios: FolioSize) throws {
    for isAnonymous in [false, true] where !isAnonymous || folios != .giant {
      // Private memory has nothing that a pin for long would be refused on, and a device as a whole is not truncated.
      for headsOnly in [false, true] {
        var options = GupTest.Options()
        options.command = command
        options.folios = folios
        options.isAnonymous = isAnonymous
        options.headsOnly = headsOnly
        options.writes = !headsOnly
        options.mebibytes = max(4, folios.pageCount >> 8)
        options.pagesPerCall = min(options.mebibytes << 8, 1000)
        #expect(try GupTest(options).results.count == 1)
      }
    }
  }

  @Test func optionsOutOfRangeAreRefusedByName() {
    func refusal(_ change: (inout GupTest.Options) -> Void) -> String? {
      var options = GupTest.Options()
      change(&options)
      do { _ = try GupTest(options) } catch { return "\(error)" }
      return nil
    }
    #expect(refusal { $0.mebibytes = 0 }?.hasPrefix("-m 0") == true)
    #expect(refusal { $0.mebibytes = .max }?.hasPrefix("-m") == true)
    #expect(refusal { $0.pagesPerCall = 0 }?.hasPrefix("-n 0") == true)
    #expect(refusal { $0.pagesPerCall = .max }?.hasPrefix("-n") == true)
    #expect(refusal { $0.repeats = 0 }?.hasPrefix("-r 0") == true)
    #expect(refusal { $0.threads = 65 }?.hasPrefix("-j 65") == true)
    #expect(refusal { $0.mebibytes = 3 }?.contains("multiple") == true)
    #expect(
      refusal {
        $0.folios = .giant
        $0.isAnonymous = true
      }?.contains("1 GiB") == true)
  }
}
