import Faultline
import Testing

@testable import FaultlineCheck

/// Which lock a fault takes is one question, and what it does another: the first is answered as kernels answer it, and
/// the second in every mode alike.
@Suite struct LockModeTests {
  /// Before 6.4 there is one lock; since 6.7 the area's serves files too, and what still goes on under the other is the
  /// same.
  @Test(arguments: Recordings.locks)
  func faultsFinishUnderTheLockUnderWhichTheKernelFinishedThem(name: String) throws {
    let recorded = try Recorded("locks/" + name)
    let runner = try recorded.runner(recorded.rules.usesVMALockForFiles ? .perVMA : .mmapLock)
    runner.printsCalls = .locks
    try recorded.compare(recorded.expected.keeping(.locks), with: runner, ignoring: ["ev"])
  }

  /// Each recording in one of the modes that `OpsTests` leaves out; in all of them they were compared once.
  @Test(arguments: taken(Recordings.recordings) + taken(Recordings.direct.map { "dax/" + $0 }))
  func inEveryModeFaultsDoWhatTheKernelsDid(mode: LockMode, name: String) throws {
    let recorded = try Recorded(name)
    try recorded.compare(recorded.expected, with: recorded.runner(mode), ignoring: RecordingComparison.unprinted)
  }

  private static func taken(_ names: [String]) -> [(LockMode, String)] {
    let modes: [LockMode] = [.perVMA, .speculative, .speculativePerVMA]
    return names.enumerated().map { (modes[$0 % modes.count], $1) }
  }

  /// The table of docs/speculative.md: of the accesses that fault, how many finish without the address space's lock.
  @Test(arguments: [
    ("s_spf_anon_a.tmpfs", Finished(of: 18, recorded: [0, 18, 18], perVMA: 18, lockless: 8)),
    ("s_spf_cold_a.ext4", Finished(of: 5, recorded: [0, 1, 2], perVMA: 2, lockless: 1)),
    ("s_spf_cold_a.xfs", Finished(of: 5, recorded: [0, 1, 2], perVMA: 2, lockless: 1)),
    ("s_spf_file_a.ext4", Finished(of: 15, recorded: [0, 14, 14], perVMA: 14, lockless: 2)),
    ("s_spf_file_a.ext4dax", Finished(of: 15, recorded: [0, 2, 2], perVMA: 2, lockless: 0)),
    ("s_spf_file_a.tmpfs", Finished(of: 14, recorded: [0, 13, 13], perVMA: 13, lockless: 2)),
    ("s_spf_file_a.xfs", Finished(of: 15, recorded: [0, 14, 14], perVMA: 14, lockless: 2)),
    ("s_spf_huge_file_a.tmpfsh", Finished(of: 6, recorded: [0, 6, 6], perVMA: 6, lockless: 0)),
  ])
  func soManyFaultsFinishWithoutTheBigLock(name: String, wanted: Finished) throws {
    let recordings = try KernelRules.all.map { try Recorded("locks/\($0.name)/\(name)") }
    #expect(recordings.map { Finished.count($0.expected.keeping(.locks).results) } == wanted.recorded)
    let newest = try #require(recordings.last)
    let counts = try LockMode.allCases.map { mode in
      let runner = try newest.runner(mode)
      runner.printsCalls = .locks
      let results = try runner.record(newest.script).results
      #expect(results.count { Finished.isFault($0) } == wanted.faults, "\(mode)")
      return Finished.count(results)
    }
    #expect(counts == [0, wanted.perVMA, wanted.lockless, wanted.lockless])
  }

  struct Finished {
    let faults: Int
    let recorded: [Int]
    let perVMA: Int
    let lockless: Int

    init(of faults: Int, recorded: [Int], perVMA: Int, lockless: Int) {
      self.faults = faults
      self.recorded = recorded
      self.perVMA = perVMA
      self.lockless = lockless
    }

    static func isFault(_ result: JSONValue) -> Bool {
      guard case .object(let calls) = result["fn"] else { return false }
      return !calls.isEmpty
    }

    /// Faults that never took the address space's lock.
    static func count(_ results: [JSONValue]) -> Int {
      results.count { isFault($0) && $0["fn"]?["lock_mm_and_find_vma"] == nil }
    }
  }
}
