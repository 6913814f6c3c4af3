import ArgumentParser
import FaultlineWhatIf

/// `faultline bench threads`
struct BenchThreadsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "threads",
    abstract: "Fault from two threads at once, and beside one that maps and unmaps, under each lock.",
    discussion: """
      will-it-scale's page_fault1, 2 and 3 (private anonymous memory, a private and a shared mapping of a file) in the \
      engine's lock modes and on the running kernel: faults per second and latencies. Two processors; give them to it alone.
      """)

  @OptionGroup var options: BenchOptions

  @Option(
    help: ArgumentHelp(
      "How long each of the measurements takes, of which there are some 200; 0.2 unless given.", valueName: "seconds"))
  var seconds: Double?

  func run() throws {
    let bench = try options.measure("threads") {
      try ThreadsBench(quick: options.quick, seconds: seconds, progress: $0)
    }
    try options.show(bench.report, table: bench.tableText)
  }
}

extension ThreadsBenchError: ExitStatusError {
  var exitStatus: ExitStatus {
    switch self {
    case .length: .usage
    case .oneProcessor, .engine: .unavailable
    }
  }
}
