import Faultline
import FaultlineCheck
import Testing

/// Drawn scripts with the invariants checked after every operation.
@Suite struct FuzzTests {
  @Test func tenThousandOperationsBreakNoLaw() throws {
    var done = 0
    let finding = try Fuzzer().run(operations: 10_000, seed: 1) { progress in
      done = progress.operations
      return true
    }
    #expect(finding == nil, "\(finding?.description ?? "")")
    #expect(done >= 10_000)
  }

  /// Fewer pages than the scripts' files have.
  @Test func norWithReclaim() throws {
    let finding = try Fuzzer(cacheLimit: 60).run(operations: 2000, seed: 44)
    #expect(finding == nil, "\(finding?.description ?? "")")
  }

  @Test func norUnderOlderRules() throws {
    for rules in [KernelRules.linux6_1, .linux6_12] {
      let finding = try Fuzzer(rules: rules).run(operations: 1000, seed: 7)
      #expect(finding == nil, "\(rules.name): \(finding?.description ?? "")")
    }
  }

  @Test func oneSeedDrawsOneScript() {
    var first = ScriptGenerator(seed: 3)
    var second = ScriptGenerator(seed: 3)
    #expect(first.lines(200) == second.lines(200))
    var other = ScriptGenerator(seed: 4)
    #expect(second.lines(40) != other.lines(40))
  }
}
