import Testing

@testable import FaultlineWhatIf

/// Conditions on rows of a what-if: what is read, what holds, what is refused.
@Suite struct AssertionTests {
  private func report() -> WhatIfReport {
    func outcome(_ policy: Policy, major: UInt64, mapped: UInt64, huge: UInt64) -> PolicyOutcome {
      var counts = ReplayCounts()
      counts.majorFaults = major
      counts.pagesMapped = mapped
      counts.pagesMappedHuge = huge
      counts.readBytes = 1 << 20
      return PolicyOutcome(policy: policy, counts: counts, estimated: 1, readaheadBytes: nil)
    }
    return WhatIfReport(
      program: ["p"], kernelRules: "6.18", cache: .cold,
      trace: TraceSummary(touches: 0, untimed: 0, lost: 0, isCoarse: false, files: []),
      costs: FixedCostModel().costs,
      outcomes: [
        outcome(.asRecorded, major: 100, mapped: 1000, huge: 512),
        outcome(Policy(madvise: .random), major: 7, mapped: 10, huge: 0),
      ])
  }

  @Test(arguments: [
    ("major<=100", true), ("major<100", false), ("major == 100", true), ("random:major<=7", true),
    ("random : major > 7", false), ("pmdMapped>=51%", true), ("pmdMapped>=52%", false), ("pmdMapped>=512", true),
    ("random:pmdMapped>=0%", true), ("read<=1M", true), ("read<1M", false), ("requests==0", true),
  ])
  func holdsOrNotAsItsRowSays(text: String, holds: Bool) throws {
    #expect(try Assertion(parsing: text).check(report()).holds == holds)
  }

  @Test(arguments: [
    ("major", AssertionError.Reason.noComparison), ("", .noComparison), ("pages<=3", .unknownSubject("pages")),
    ("<=3", .unknownSubject("")), ("major<=", .notANumber("")), ("major<=-1", .notANumber("-1")),
    ("major<=99999999999999999999", .notANumber("99999999999999999999")), ("major<=5%", .noPercentage("major")),
  ])
  func whatIsNoConditionIsRefusedWithItsReason(text: String, reason: AssertionError.Reason) {
    #expect(throws: AssertionError(text: text, reason: reason)) { try Assertion(parsing: text) }
  }

  @Test func aRowThatIsNotThereIsAnErrorThatNamesTheOthers() throws {
    let assertion = try Assertion(parsing: "populate:major<=1")
    let expected = AssertionError(
      text: "populate:major<=1", reason: .noSuchPolicy(["as recorded", "random"]))
    #expect(throws: expected) { try assertion.check(report()) }
  }

  @Test func resultsStandUnderTheTableAndInTheObject() throws {
    var report = report()
    report.assertions = [try Assertion(parsing: "pmdMapped>=60%").check(report)]
    #expect(report.tableText.contains("assert pmdMapped>=60%: 51.2%, FAILED"))
    #expect(report.json.text.contains("\"holds\": false") || report.json.text.contains("\"holds\":false"))
  }
}
