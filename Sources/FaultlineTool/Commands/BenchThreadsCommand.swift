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
    var line = ProgressLine()
    defer { line.wipe() }
    let bench = try ThreadsBench(quick: options.quick, seconds: seconds) { line.show("threads", fraction: $0) }
    line.wipe()
    let report = bench.report
    print(options.json ? report.json.text : bench.tableText)
    if !report.holds { throw ExitCode(ExitStatus.failed.rawValue) }
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
