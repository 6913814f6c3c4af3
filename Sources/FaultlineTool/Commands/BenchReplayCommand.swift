import ArgumentParser
import FaultlineWhatIf

/// `faultline bench replay`
struct BenchReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Replay touches and faults through the engine, beside the running kernel.",
    discussion: """
      Touches of pages that are mapped already, in random order over 256 MiB, and faults that each map 16 cached pages. \
      Both decode a trace, as whatif does. One thread.
      """)

  @OptionGroup var options: BenchOptions

  func run() throws {
    let report = try ReplayBench.run(quick: options.quick)
    try options.show(report, table: report.table)
  }
}
