import ArgumentParser
import FaultlineWhatIf

/// `faultline bench around`
struct BenchAroundCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "around",
    abstract: "Count faults and mapped pages for fault-around windows of 1 to 512 pages.",
    discussion: """
      Patterns with known outcomes, and the traces that you give: files that `faultline record` wrote, or text traces \
      (docs/trace-format.md), also compressed. Of a program that was recorded both without and with fault-around, give both \
      text traces: the second says what the kernel counted.
        faultline record -o search.trace -- ./search --index big.idx
        faultline bench around --trace search.trace --html around.html
      """)

  @Option(
    name: .customLong("trace"),
    help: ArgumentHelp("A recorded program to ask about; may be repeated.", valueName: "file"), completion: .file())
  var traces: [String] = []

  @Option(
    help: ArgumentHelp("Write the plots and tables as one self-contained page.", valueName: "file"), completion: .file()
  )
  var html: String?

  @OptionGroup var options: BenchOptions

  func run() throws {
    let bench = try AroundBench(tracePaths: traces, quick: options.quick)
    if let html { try TextFile.write(bench.html, to: html) }
    try options.show(bench.report, table: bench.tableText)
  }
}

extension TextTraceError: ExitStatusError {
  var exitStatus: ExitStatus { .usage }
}
