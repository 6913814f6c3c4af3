import FaultlineWhatIf
import Testing

@Suite struct ReportTests {
  static func outcome(_ policy: Policy, major: UInt64, read: UInt64, estimated: Double) -> PolicyOutcome {
    var counts = ReplayCounts()
    counts.majorFaults = major
    counts.minorFaults = 1234
    counts.pagesMapped = 5000
    counts.pagesCached = read / 4096
    counts.readBytes = read
    counts.readRequests = major
    return PolicyOutcome(policy: policy, counts: counts, estimated: estimated, readaheadBytes: 131_072)
  }

  static func report(_ outcomes: [PolicyOutcome]) -> WhatIfReport {
    WhatIfReport(
      program: ["db", "a \"b\""], kernelRules: "6.18", cache: .cold,
      trace: TraceSummary(
        touches: 6553, untimed: 2, lost: 0, isCoarse: false,
        files: [.init(path: "/data/index", pages: 65536, residentBefore: nil)]),
      costs: FixedCostModel().costs, outcomes: outcomes, notes: ["one note"])
  }

  static let usual = report([
    outcome(.asRecorded, major: 5000, read: 254_000_000, estimated: 3.2e8),
    outcome(Policy(madvise: .random), major: 655, read: 2_682_880, estimated: 3.4e7),
    outcome(Policy(name: "a,\"b\"", faultAroundBytes: 4096), major: 5000, read: 254_000_000, estimated: 3.3e8),
  ])

  @Test func leastEstimatedTimeIsBestAndSaysWhy() {
    #expect(Self.usual.bestIndex == 1)
    #expect(
      Self.usual.bestSentence
        == "best: random, estimated 9.4 times faster than as recorded, because it reads in 655 requests instead of 5,000; "
        + "set it with madvise(MADV_RANDOM) after mmap.")
  }

  @Test func whatIsHardlyFasterDoesNotBeatTheProgramAsItIs() {
    let report = Self.report([
      Self.outcome(.asRecorded, major: 10, read: 0, estimated: 1000),
      Self.outcome(Policy(madvise: .random), major: 10, read: 0, estimated: 960),
    ])
    #expect(report.bestIndex == 0)
  }

  @Test func whatNeedsAnotherMachineComesWithTheBestThatDoesNot() {
    let report = Self.report([
      Self.outcome(.asRecorded, major: 10, read: 0, estimated: 1000),
      Self.outcome(Policy(madvise: .random), major: 9, read: 0, estimated: 700),
      Self.outcome(Policy(faultAroundBytes: 2 << 20), major: 2, read: 0, estimated: 500),
    ])
    #expect(report.bestIndex == 2)
    #expect(report.bestSentence?.hasSuffix("; of what the program can set itself, random is best.") == true)
  }

  @Test func withoutPoliciesNothingIsBest() {
    #expect(Self.report([]).bestIndex == nil)
    #expect(Self.report([]).bestSentence == nil)
  }

  @Test func tableMarksOnlyTheBest() {
    let marked = Self.usual.tableText.split(separator: "\n").filter { $0.hasSuffix("best") }
    #expect(marked.count == 1)
    #expect(marked.first?.hasPrefix("random") == true)
    #expect(Self.usual.tableText.contains("note: one note"))
    #expect(Self.usual.tableText.contains("estimated from costs fixed"))
  }

  @Test func csvQuotesWhatWouldBreakARow() {
    let lines = Self.usual.csvText.split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines[3].hasPrefix("\"a,\"\"b\"\"\",false,asrecorded,131072,4096,5000,1234,5000,"))
    #expect(lines[2].hasSuffix(",34000000,true"))
  }

  @Test func jsonKeepsItsKeysInOrderAndEscapes() throws {
    let text = Self.usual.json.text
    #expect(text.contains(#""program": ["db", "a \"b\""]"#))
    #expect(text.contains(#""residentBefore": null"#))
    let keys = ["\"program\"", "\"kernelRules\"", "\"cache\"", "\"trace\"", "\"policies\"", "\"verification\""]
    let places = keys.compactMap { key in text.firstRange(of: key)?.lowerBound }
    #expect(places.count == keys.count)
    #expect(places == places.sorted())
  }

  @Test(arguments: [
    (JSON.number(.infinity), "null"), (.string("a\u{1}\n"), "\"a\\u0001\\n\""), (.array([]), "[]"), (.object([]), "{}"),
    (.array([.unsigned(.max), .bool(true), .null]), "[18446744073709551615, true, null]"),
  ])
  func jsonWritesEveryKindOfValue(value: JSON, text: String) {
    #expect(value.text == text)
  }

  @Test func tableColumnsLineUp() {
    var table = TextTable(head: ["name", "count"])
    table.add(["a", "1,000,000"])
    table.add(["longer"])
    #expect(table.text == "name        count\na       1,000,000\nlonger")
  }
}

@Suite struct VerifyTests {
  static func counts(_ major: UInt64, _ cached: UInt64 = 10) -> VerifiedCounts {
    VerifiedCounts(
      majorFaults: major, minorFaults: 3, pagesMapped: 9, pagesMappedHuge: 0, pagesCached: cached,
      readBytes: cached * 4096)
  }

  @Test func whereTheRunsAgreeOnlyEqualityIsWithinRange() {
    let runs = [Self.counts(5), Self.counts(5)]
    #expect(PolicyVerification(policy: "p", predicted: Self.counts(5), measured: runs).isWithinRange)
    #expect(!PolicyVerification(policy: "p", predicted: Self.counts(6), measured: runs).isWithinRange)
  }

  @Test func whereTheRunsDifferTheirRangeDecides() {
    let runs = [Self.counts(5), Self.counts(9)]
    let inside = PolicyVerification(policy: "p", predicted: Self.counts(7), measured: runs)
    #expect(inside.isWithinRange && !inside.isEqual)
    #expect(!PolicyVerification(policy: "p", predicted: Self.counts(10), measured: runs).isWithinRange)
    #expect(!PolicyVerification(policy: "p", predicted: Self.counts(7, 11), measured: runs).isWithinRange)
  }

  @Test func withoutRunsNothingIsVerified() {
    let verification = PolicyVerification(policy: "p", predicted: Self.counts(5), measured: [])
    #expect(!verification.isWithinRange && !verification.isEqual)
  }
}
