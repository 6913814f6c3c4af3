import ArgumentParser
import FaultlineWhatIf

/// `faultline record`
struct RecordCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Run a program and record which pages of its mapped files it touches first, and when.",
    discussion: """
      The program runs as it is, with its threads and children; no root is needed. Recordings are replayed later:
        faultline record -o search.trace -- ./search --index big.idx
        faultline replay search.trace

      A program that fails, or is interrupted with Ctrl-C, leaves a recording of what it did until then.
      """)

  @Option(name: .shortAndLong, help: "The file to write.", completion: .file())
  var output: String

  @OptionGroup var target: ProgramOptions

  func run() throws {
    let summary = try target.record(target.command(), to: output)
    Terminal.say(RecordCommand.describe(summary, output: output))
  }

  private static func describe(_ summary: RecordSummary, output: String) -> String {
    var parts = ["\(summary.touches) first touches in \(output)"]
    if summary.untimed > 0 { parts.append("\(summary.untimed) of them untimed") }
    if summary.lost > 0 { parts.append("\(summary.lost) faults lost") }
    return "faultline: " + (parts + summary.warnings).joined(separator: "; ")
  }
}
