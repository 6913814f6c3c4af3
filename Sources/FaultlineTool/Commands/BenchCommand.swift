import ArgumentParser
import FaultlineWhatIf

/// `faultline bench`: each benchmark is a subcommand of its own.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure the engine on this machine and hold it against its own bars.",
    discussion: """
      A benchmark prints each figure beside the one that was wanted and exits 1 when a bar does not hold.
      """,
    subcommands: [
      BenchReplayCommand.self, BenchAroundCommand.self, BenchThreadsCommand.self, BenchSpeculateCommand.self,
      BenchSyncCommand.self, BenchPinCommand.self,
    ])
}

/// What all benchmarks take.
struct BenchOptions: ParsableArguments {
  @Flag(help: "Print one JSON object.")
  var json = false

  @Flag(help: "A few seconds, for CI: every case runs, no bar is judged.")
  var quick = false
}

extension BenchOptions {
  /// Measures behind a progress line, which is gone at the end.
  func measure<Bench>(_ name: String, _ measure: (_ progress: (Double) -> Void) throws -> Bench) throws -> Bench {
    var line = ProgressLine()
    defer { line.wipe() }
    return try measure { line.show(name, fraction: $0) }
  }

  /// Prints what was measured; a bar that does not hold ends the program with exit code 1.
  func show(_ report: BenchReport, table: @autoclosure () -> String) throws {
    print(json ? report.json.text : table())
    if !report.holds { throw ExitCode(ExitStatus.failed.rawValue) }
  }
}
