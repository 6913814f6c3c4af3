import Faultline
import Testing

@testable import FaultlineCheck

/// The engine against what kernels did.
@Suite struct OpsTests {
  @Test(arguments: Recordings.recordings)
  func theEngineDoesWhatTheKernelDid(name: String) throws {
    let parts = name.split(separator: ".").map(String.init)
    let fileSystem = try #require(ScriptFileSystem(rawValue: parts[1]))
    let script = try OperationScript(parsing: Recordings.text(parts[0] + ".ops"))
    let expected = try Recording(parsing: Recordings.text(name + ".jsonl"))
    let pages = expected.readaheadKiB.map { UInt64($0) / 4 }
    let runner = try ScriptRunner(fileSystem: fileSystem, readaheadPages: pages)
    let isTraced = expected.environment["trace"] == .boolean(true) && !Recordings.timed.contains(name)
    runner.printsEvents = isTraced
    let actual = try runner.record(script)
    let differences = RecordingComparison(
      expected: expected, actual: actual, ignoring: isTraced ? ["fn"] : ["ev", "fn"]
    )
    .differences
    #expect(differences.isEmpty, "\(differences.prefix(3).map(\.description).joined(separator: "\n"))")
  }

  @Test(arguments: Recordings.older)
  func underOlderRulesItDoesWhatTheOlderKernelDid(name: String) throws {
    let parts = name.split(separator: "/")[1].split(separator: ".").map(String.init)
    let fileSystem = try #require(ScriptFileSystem(rawValue: parts[1]))
    let script = try OperationScript(parsing: Recordings.text(parts[0] + ".ops"))
    let expected = try Recording(parsing: Recordings.text(name + ".jsonl"))
    let pages = expected.readaheadKiB.map { UInt64($0) / 4 }
    let runner = try ScriptRunner(fileSystem: fileSystem, rules: .linux6_1, readaheadPages: pages)
    runner.printsEvents = true
    let actual = try runner.record(script)
    let differences = RecordingComparison(expected: expected, actual: actual, ignoring: ["fn"]).differences
    #expect(differences.isEmpty, "\(differences.prefix(3).map(\.description).joined(separator: "\n"))")
  }

  @Test(arguments: Recordings.direct)
  func onPersistentMemoryItDoesWhatTheKernelDid(name: String) throws {
    let recorded = try Recorded("dax/" + name)
    let runner = try recorded.runner()
    runner.printsEvents = true
    try recorded.compare(recorded.expected, with: runner, ignoring: ["fn"])
  }

  @Test(arguments: Recordings.holds)
  func pagesAreTakenHoldOfInAsManyStepsAsTheKernelTook(name: String) throws {
    let recorded = try Recorded("holds/" + name)
    let runner = try recorded.runner(isPlaced: false)
    runner.printsCalls = .holds
    try recorded.compare(recorded.expected.keeping(.holds), with: runner, ignoring: ["ev"])
  }

  @Test func callsThatNobodyCountedAreNotCompared() throws {
    let counted = try Recording(parsing: Recordings.text("holds/6.1/s_gupc_anon_a.tmpfs.jsonl"))
    #expect(counted.countsCalls)
    #expect(counted.keeping(.holds).results.contains { $0["fn"]?["try_grab_page"] != nil })
    #expect(counted.keeping([]).results.allSatisfy { $0["fn"] == .object([]) })
    let other = try Recording(parsing: Recordings.text("s_fa_write_private_a.tmpfs.jsonl"))
    #expect(!other.countsCalls)
  }

  @Test func oneScriptGivesOneResultByteForByte() throws {
    let script = try OperationScript(parsing: Recordings.text("s_fa_random_a.ops"))
    let first = try ScriptRunner(fileSystem: .ext4Journal).record(script)
    let second = try ScriptRunner(fileSystem: .ext4Journal).record(script)
    #expect(first.results.map(\.description) == second.results.map(\.description))
  }

  @Test(arguments: [
    ("read M0 0", ScriptRunError.noMapping("M0", line: 1)),
    ("mmap M0 F0 0 4 r shared", ScriptRunError.noFile("F0", line: 1)),
    (
      "mkfile F0 300000",
      ScriptRunError.limit("a file is written with at most 262144 pages; larger ones can be sparse", line: 1)
    ),
    (
      "mkfile F0 4\nfork\nfiemap F0\nendfork", ScriptRunError.notYetSupported(operation: "fiemap", line: 3)
    ),
    ("mkfile F0 4\nfiemap F0", ScriptRunError.notYetSupported(operation: "fiemap", line: 2)),
  ])
  func whatCannotBeRunIsAnErrorWithItsLine(text: String, expected: ScriptRunError) throws {
    let script = try OperationScript(parsing: text)
    let runner = try ScriptRunner(fileSystem: .tmpfs)
    #expect(throws: expected) { try runner.record(script) }
  }

  @Test(arguments: [ScriptFileSystem.ext4DAX, .xfsDAX])
  func aFileOfAChildLeavesRoomForOneOfItsParent(fileSystem: ScriptFileSystem) throws {
    let script = try OperationScript(
      parsing: "fork\nmkfile F0 4\nendfork\nmkfile F0 8\nfork\nmkfile F0 2\nendfork\nfiemap F0")
    let results = try ScriptRunner(fileSystem: fileSystem).record(script).results
    #expect(results.last?["extents"]?.description == #"[[0,8,1,"w"]]"#)
  }

  @Test func noNumbersOfAScriptTrap() throws {
    let numbers = ["0", "1", "-1", "3+1", "9007199254740991", "-9007199254740991", "2251799813685247-1"]
    let templates = [
      "munmap M0 A B", "mprotect M0 A B rw", "madvise M0 A B DONTNEED", "madvise M0 A B WILLNEED", "pread F0 A B",
      "fadvise F0 A B DONTNEED", "fadvise F0 A B WILLNEED", "readahead F0 A B", "mmap M1 F0 A B rw private at=4096",
      "msync M0 A B sync", "mlock M0 A B", "munlock M0 A B", "punch F0 A B", "pwrite F0 A 1", "trunc F0 A",
      "mremap M0 A may", "mremap M0 A to=600 start=2 len=3", "madvise M0 A B POPULATE_WRITE", "madvise M0 A B COLD",
      "gupr M0 A B", "gupw M0 A B", "memr M0 A B", "memw M0 A B", "vmsplice M0 A B", "sysread M0 A B F0 0",
      "syswrite M0 0 1 F0 A", "syswrite M0 A B F0 0", "dior M0 A B F0 0", "diow M0 0 B F0 A", "madvise M0 A B REMOVE",
      "madvise M0 A B PAGEOUT", "madvise M0 A B GUARD_INSTALL", "madvise M0 A B HUGEPAGE", "falloc F0 A B keep",
      "zerorange F0 A B keep",
    ]
    for template in templates {
      for first in numbers {
        for second in numbers {
          let line = template.replacing("A", with: first).replacing("B", with: second)
          let text = "mkfile F0 8\nmmap M0 F0 0 8 rw shared at=0\nread M0 1\n" + line + "\nread M0 2"
          let runner = try ScriptRunner(fileSystem: .ext4Journal)
          let results = try? runner.record(try OperationScript(parsing: text)).results
          #expect(results == nil || results?.count == 5)
        }
      }
    }
    for access in ["read M0 A off=B", "write M0 A off=B", "rmw M0 A off=B", "exec M0 A"] {
      for first in ["0", "-1", "9223372036854775807", "-9223372036854775808"] {
        for second in ["0", "4093", "-1", "9223372036854775807"] {
          let line = access.replacing("A", with: first).replacing("B", with: second)
          let text = "mkfile F0 8\nmmap M0 F0 0 8 rwx private at=0\n" + line
          _ = try ScriptRunner(fileSystem: .tmpfs).record(try OperationScript(parsing: text))
        }
      }
    }
  }
}
