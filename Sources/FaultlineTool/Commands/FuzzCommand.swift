import ArgumentParser
import Faultline
import FaultlineCheck
import Glibc

/// `faultline fuzz`: random operation scripts, with the invariants checked after every operation or held against this
/// machine's kernel.
struct FuzzCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz",
    abstract:
      "Draw operation scripts and check the engine's invariants after every operation, or hold it against the kernel.",
    discussion: """
      What is found is cut down to the smallest script that still fails, and printed; save it and look at it again with \
      faultline ops --check. The seed decides everything.

      With --against-kernel the same scripts run on the engine and on this machine's kernel, as the user who calls, and every \
      field of every result is compared. A difference counts when the kernel gives the same answer three times.

      Exit codes: 0 nothing found, 1 something found, 3 not possible on this machine.
      """)

  @Option(name: .customLong("ops"), help: "How many operations at least.")
  var operations: Int = 100_000

  @Option(help: "Where the drawing starts.")
  var seed: UInt64 = 1

  @Option(help: "The kernel whose rules hold.")
  var kernel: String = KernelRules.linux6_18.name

  @Option(help: "Pages of files that may be cached, so that reclaim takes part.")
  var cacheLimit: UInt64?

  @Flag(name: .customLong("against-kernel"), help: "Compare the engine with this machine's kernel.")
  var againstKernel = false

  @Option(help: "With --against-kernel: where the scripts' files lie; they have no names.")
  var directory: String = "/dev/shm"

  @Option(
    name: .customLong("fs"),
    help: "The file system of all scripts. (default: all that the engine serves; with --against-kernel: look)")
  var fileSystem: ScriptFileSystem?

  @Option(help: "With --against-kernel: milliseconds of rest after each operation, for files outside the cache.")
  var settle: Int64 = 0

  @Option(help: "With --against-kernel: end after this many differences of different kinds.")
  var findings: Int = 1

  @Option(help: "End after this many seconds.")
  var seconds: Int?

  func validate() throws {
    if let seconds, seconds <= 0 { throw ValidationError("--seconds takes a positive number, not \(seconds)") }
    guard findings > 0 else { throw ValidationError("--findings takes a positive number, not \(findings)") }
    guard operations > 0 else { throw ValidationError("--ops takes a positive number, not \(operations)") }
  }

  func run() throws {
    guard let rules = KernelRules.all.first(where: { $0.name == kernel }) else {
      throw ValidationError("no rules for kernel \(kernel); there are \(KernelRules.all.map(\.name))")
    }
    if againstKernel { return try holdAgainstKernel(rules) }
    var last: Fuzzer.Progress?
    var line = ProgressLine()
    let end = end
    let fuzzer =
      fileSystem.map { Fuzzer(rules: rules, fileSystems: [$0], cacheLimit: cacheLimit) }
      ?? Fuzzer(rules: rules, cacheLimit: cacheLimit)
    let finding = try fuzzer.run(operations: operations, seed: seed) { progress in
      last = progress
      line.show("fuzz", fraction: Double(progress.operations) / Double(operations))
      return !isPast(end)
    }
    line.wipe()
    if let finding {
      print(finding)
      throw ExitCode(ExitStatus.failed.rawValue)
    }
    report(last, "nothing found")
  }

  private func holdAgainstKernel(_ rules: KernelRules) throws {
    let kernel = try KernelScriptRunner(
      server: KernelScriptCommand.server(directory: directory, settleMilliseconds: settle), directory: directory)
    guard let fileSystem = fileSystem ?? kernel.fileSystem else {
      throw UnavailableError("\(directory) lies on no file system that the scripts know; choose another or say --fs")
    }
    let fuzzer = try KernelFuzzer(kernel: kernel, fileSystem: fileSystem, rules: rules)
    var count = 0
    var line = ProgressLine()
    let end = end
    let done = try fuzzer.run(operations: operations, seed: seed, wanted: findings) { finding in
      line.wipe()
      count += 1
      print(finding)
      print()
      // A hunt is long, and what it found must not be lost with it.
      fflush(nil)
    } progress: { progress in
      line.show("fuzz against the kernel", fraction: Double(progress.operations) / Double(operations))
      return !isPast(end)
    }
    line.wipe()
    report(done, count == 0 ? "no difference" : "\(count) kinds of differences")
    if count > 0 { throw ExitCode(ExitStatus.failed.rawValue) }
  }

  private func report(_ progress: Fuzzer.Progress?, _ verdict: String) {
    print("\(verdict) in \(progress?.operations ?? 0) operations of \(progress?.scripts ?? 0) scripts, seed \(seed)")
  }

  private var end: ContinuousClock.Instant? { seconds.map { .now + .seconds($0) } }

  private func isPast(_ end: ContinuousClock.Instant?) -> Bool { end.map { .now >= $0 } ?? false }
}
