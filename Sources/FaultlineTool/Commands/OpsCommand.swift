import ArgumentParser
import Faultline
import FaultlineCheck

/// `faultline ops`: an operation script on the engine, held against a recording if there is one.
struct OpsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ops",
    abstract: "Run an operation script on the engine and print what the kernel's recorder would print.",
    discussion: """
      Without --expect the results go to standard output, one JSON object a line. With --expect they are compared with the \
      recording instead, and what differs is printed. The language and the fields are described in docs/ops.md.

      Exit codes: 0 done or equal, 1 different, 2 the script or an option is wrong or asks for what is not there yet.
      """)

  @Argument(help: "The script.")
  var script: String

  @Option(
    name: .customLong("fs"),
    help: "The file system under the script's files. (with --on-kernel: the directory's)")
  var fileSystem: ScriptFileSystem?

  @Flag(name: .customLong("on-kernel"), help: "Run the script on this machine's kernel instead of the engine.")
  var onKernel = false

  @Option(help: "With --on-kernel: where the script's files lie; they have no names.")
  var directory: String = "/dev/shm"

  @Option(help: "With --on-kernel: milliseconds of rest after each operation, for files outside the cache.")
  var settle: Int64 = 0

  @Option(help: "The kernel whose rules hold. (default: the recording's, else the newest)")
  var kernel: String?

  @Option(
    name: .customLong("read-ahead-kb"), help: "The device's readahead in KiB. (default: the recording's, else 128)")
  var readaheadKiB: UInt64?

  @Option(help: "A recording to compare with.")
  var expect: String?

  @Option(
    help: "A recording whose kernel's blocks lay where those of ext4dax and xfsdax shall lie. (default: --expect's)")
  var placement: String?

  @Option(help: "A field of the recording that is not compared, such as maps or minflt. Repeatable.")
  var ignore: [String] = []

  @Flag(help: "Check the engine's invariants after every operation; a breach ends the run.")
  var check = false

  @Flag(help: "Print what the engine did in each operation (`ev`), and compare that too.")
  var events = false

  @Option(
    help: ArgumentHelp(
      "What faults hold while they work: mmapLock, perVMA, speculative, speculativePerVMA. (default: mmapLock; --locks: perVMA)",
      valueName: "mode"))
  var lock: LockMode?

  @Flag(help: "Print which locks the faults of each access took (`fn`), and compare that too.")
  var locks = false

  @Flag(help: "Print how often each call took hold of pages (`fn`), in its kernel's functions, and compare that too.")
  var holds = false

  @Option(help: "The most differences that are printed.")
  var show: Int = 10

  func validate() throws {
    if onKernel, check { throw ValidationError("--check looks at the engine; it does not go with --on-kernel") }
    if !onKernel, fileSystem == nil { throw ValidationError("--fs says which file system the engine plays") }
  }

  func run() throws {
    let text = try TextFile.read(script)
    let script = try OperationScript(parsing: text)
    let expected = try expect.map { path in try Recording(parsing: TextFile.read(path)) }
    let placed = try placement.map { path in try Recording(parsing: TextFile.read(path)) } ?? expected
    if onKernel { return try runOnKernel(text, expected) }
    guard let fileSystem else { return }
    let runner = try ScriptRunner(
      fileSystem: fileSystem, rules: try rules(for: placed), readaheadPages: readaheadPages(for: expected),
      lockMode: lock ?? (locks ? .perVMA : .mmapLock),
      placement: placed.map(RecordedPlacement.init) ?? RecordedPlacement())
    runner.printsEvents = events
    runner.printsCalls = calls
    if let expected {
      try compare(expected, with: try record(script, on: runner))
    } else {
      print(runner.environment)
      try run(script, on: runner) { print($0) }
    }
  }

  private var calls: CallCounts { CallCounts(locks ? [.locks] : []).union(holds ? .holds : []) }

  private func runOnKernel(_ text: String, _ expected: Recording?) throws {
    let runner = try KernelScriptRunner(
      server: KernelScriptCommand.server(directory: directory, settleMilliseconds: settle), directory: directory)
    if let expected {
      try compare(expected, with: try runner.record(text))
    } else {
      print(runner.environment)
      try runner.run(text) { print($0) }
    }
  }

  private func record(_ script: OperationScript, on runner: ScriptRunner) throws -> Recording {
    var results: [JSONValue] = []
    try run(script, on: runner) { results.append($0) }
    return Recording(environment: runner.environment, results: results)
  }

  private func run(_ script: OperationScript, on runner: ScriptRunner, each: (JSONValue) -> Void) throws {
    var breaches: [Violation] = []
    try runner.run(script) { result in
      guard breaches.isEmpty else { return }
      each(result)
      if check { breaches = runner.violations() }
      for breach in breaches { Terminal.say("after line \(result["i"] ?? .null): \(breach)") }
    }
    if !breaches.isEmpty { throw ExitCode(ExitStatus.failed.rawValue) }
  }

  private func compare(_ expected: Recording, with actual: Recording) throws {
    var ignored = RecordingComparison.unprinted.union(ignore).union(fileSystem?.unsteadyFields ?? [])
    // A recording that was made without tracing has no events to compare with, and most count no calls.
    if events, expected.environment["trace"] == .boolean(true), !ignore.contains("ev") { ignored.remove("ev") }
    if !calls.isEmpty, expected.countsCalls, !ignore.contains("fn") { ignored.remove("fn") }
    var wanted = calls.isEmpty ? expected : expected.keeping(calls)
    if fileSystem?.isDirect == true { wanted = wanted.foldingRepeatedFaults }
    let comparison = RecordingComparison(expected: wanted, actual: actual, ignoring: ignored)
    let differences = comparison.differences
    if differences.isEmpty {
      print("equal: \(expected.results.count) operations")
      return
    }
    for difference in differences.prefix(max(0, show)) { print(difference) }
    if differences.count > show { print("and \(differences.count - max(0, show)) more differences") }
    throw ExitCode(ExitStatus.failed.rawValue)
  }

  private func rules(for expected: Recording?) throws -> KernelRules {
    let recorded = expected?.environment["kernel"]?.stringValue ?? ""
    guard let kernel else { return KernelRules(release: recorded) ?? .linux6_18 }
    guard let rules = KernelRules.all.first(where: { $0.name == kernel }) else {
      let known = KernelRules.all.map(\.name).joined(separator: ", ")
      throw ValidationError("no rules for kernel \(kernel); there are \(known)")
    }
    return rules.configured(asIn: recorded)
  }

  private func readaheadPages(for expected: Recording?) -> UInt64? {
    let kibibytes = readaheadKiB ?? expected?.readaheadKiB.flatMap { UInt64(exactly: $0) }
    return kibibytes.map { $0 / 4 }
  }
}

extension ScriptFileSystem: ExpressibleByArgument {}

extension LockMode: ExpressibleByArgument {}

extension ScriptError: ExitStatusError {
  var exitStatus: ExitStatus { .usage }
}

extension ScriptRunError: ExitStatusError {
  var exitStatus: ExitStatus { .usage }
}

extension RecordingError: ExitStatusError {
  var exitStatus: ExitStatus { .usage }
}

extension TextFile.Failure: ExitStatusError {
  var exitStatus: ExitStatus { .usage }
}
