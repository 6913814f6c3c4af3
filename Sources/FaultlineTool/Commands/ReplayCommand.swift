import ArgumentParser
import FaultlineWhatIf

/// `faultline replay`
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Replay a recording under other policies and print what each would cost.",
    discussion: """
      A recording is made once and asked as often as you like, on any machine:
        faultline record -o search.trace -- ./search --index big.idx
        faultline replay search.trace
        faultline replay --policy madvise=random,around=16K search.trace
        faultline replay --kernel 6.1 --cache warm --json search.trace

      Counts are exact under the rules of the kernel named above the table. Time is an estimate from costs measured on \
      this machine in the same run.
      """)

  @Argument(help: "A file that `faultline record` wrote.", completion: .file())
  var trace: String

  @OptionGroup var options: WhatIfOptions

  func run() throws {
    try options.conclude(try options.answer(on: try Trace(path: trace)))
  }
}
