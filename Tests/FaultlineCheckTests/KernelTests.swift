import Faultline
import FaultlineCheck
import Foundation
import Testing

/// Operation scripts on the kernel under the tests.
@Suite(.serialized) struct KernelTests {
  /// The command with the hidden subcommand that runs scripts, built beside the tests; `nil` when it is not there.
  private static let tool: String? = {
    let maps = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
    let bundle = maps.split(separator: "\n").first { $0.hasSuffix(".xctest") }?.split(separator: " ").last.map(
      String.init)
    let own = [bundle, CommandLine.arguments.first].compactMap { $0 }
    let places = own.map {
      URL(fileURLWithPath: $0).deletingLastPathComponent().appendingPathComponent("faultline").path
    }
    return places.first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  private static let directory = "/dev/shm"

  private static func runner() throws -> KernelScriptRunner {
    try KernelScriptRunner(server: [tool ?? "", "kernel-script", "--directory", directory], directory: directory)
  }

  /// Whether this machine runs scripts as the recordings' kernel does: its tables can be scanned, its rules are the engine's
  /// newest, and memory files come in single pages.
  private static let isComparable: Bool = {
    guard let runner = try? runner(), runner.fileSystem == .tmpfs else { return false }
    guard (try? runner.record("mkfile F0 1")) != nil else { return false }
    return runner.environment["kernel"]?.stringValue?.hasPrefix("6.18.") ?? false
  }()

  @Test(.enabled(if: isComparable, "needs Linux 6.18, /dev/shm and the built command"))
  func theEngineDoesWhatThisKernelDoes() throws {
    let fuzzer = try KernelFuzzer(kernel: try Self.runner(), fileSystem: .tmpfs)
    var findings: [KernelFuzzer.Finding] = []
    let done = try fuzzer.run(operations: 600, seed: 1) { findings.append($0) }
    #expect(findings.isEmpty, "\(findings.map(\.description).joined(separator: "\n"))")
    #expect(done.operations >= 600)
  }

  @Test(.enabled(if: isComparable, "needs Linux 6.18, /dev/shm and the built command"))
  func aDifferenceIsFoundAndCutDown() throws {
    var rules = KernelRules.linux6_18
    rules.faultAroundBytes = 4096
    let fuzzer = try KernelFuzzer(kernel: try Self.runner(), fileSystem: .tmpfs, rules: rules)
    var findings: [KernelFuzzer.Finding] = []
    _ = try fuzzer.run(operations: 4000, seed: 1) { findings.append($0) }
    let finding = try #require(findings.first)
    #expect(finding.script.count <= 6, "\(finding)")
  }

  @Test(.enabled(if: isComparable, "needs Linux 6.18, /dev/shm and the built command"))
  func aCrashingScriptLeavesTheRunnerAlive() throws {
    let runner = try Self.runner()
    #expect(throws: KernelRunError.self) { try runner.record("mkfile F0 1\nread M0 1") }
    #expect(throws: KernelRunError.self) { try runner.record("this is no script") }
    #expect(
      try runner.record("mkfile F0 3\nmmap M0 F0 0 8 rw shared\nread M0 5").results.last?["signal"] == .string("SIGBUS")
    )
  }

  @Test(.enabled(if: tool != nil, "needs the built command"))
  func aDirectoryThatIsNotThereIsAnError() throws {
    let runner = try KernelScriptRunner(
      server: [Self.tool ?? "", "kernel-script", "--directory", "/no/such"], directory: "/no/such")
    #expect(runner.fileSystem == nil)
    #expect(throws: KernelRunError.self) { try runner.record("mkfile F0 1") }
  }

  @Test func aServerThatIsNoServerIsAnError() {
    #expect(throws: KernelRunError.self) { try KernelScriptRunner(server: ["/bin/true"], directory: "/tmp") }
    #expect(throws: KernelRunError.self) { try KernelScriptRunner(server: ["/no/such/program"], directory: "/tmp") }
    #expect(throws: KernelRunError.self) { try KernelScriptRunner(server: [], directory: "/tmp") }
  }
}
