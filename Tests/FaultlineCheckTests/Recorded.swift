import Faultline
import Testing

@testable import FaultlineCheck

/// A recording beside the tests, its script, and the engine set up like its kernel.
struct Recorded {
  let script: OperationScript
  let expected: Recording
  let fileSystem: ScriptFileSystem
  let rules: KernelRules

  /// - Parameter name: such as `6.12/s_spf_cold_a.xfs`, without the suffix.
  init(_ name: String) throws {
    let folders = name.split(separator: "/").map(String.init)
    let parts = try #require(folders.last).split(separator: ".").map(String.init)
    let ownScripts = ["dax", "holds"].contains(folders[0]) ? folders[0] + "/" : ""
    script = try OperationScript(parsing: Recordings.text(ownScripts + parts[0] + ".ops"))
    expected = try Recording(parsing: Recordings.text(name + ".jsonl"))
    fileSystem = try #require(ScriptFileSystem(rawValue: parts[1]))
    let release = try #require(expected.environment["kernel"]?.stringValue)
    rules = folders.count > 1 ? try #require(KernelRules(release: release)) : .linux6_18
  }

  /// - Parameter isPlaced: whether files lie on the device where they lay when this was recorded.
  func runner(_ mode: LockMode = .mmapLock, isPlaced: Bool = true) throws -> ScriptRunner {
    try ScriptRunner(
      fileSystem: fileSystem, rules: rules, readaheadPages: expected.readaheadKiB.map { UInt64($0) / 4 },
      lockMode: mode, placement: isPlaced ? RecordedPlacement(expected) : RecordedPlacement())
  }

  func compare(_ expected: Recording, with runner: ScriptRunner, ignoring fields: Set<String>) throws {
    let wanted = fileSystem.isDirect ? expected.foldingRepeatedFaults : expected
    let differences = RecordingComparison(
      expected: wanted, actual: try runner.record(script), ignoring: fields.union(fileSystem.unsteadyFields)
    )
    .differences
    #expect(differences.isEmpty, "\(differences.prefix(3).map(\.description).joined(separator: "\n"))")
  }
}
