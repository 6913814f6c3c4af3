import ArgumentParser
import FaultlineWhatIf

/// `faultline whatif`
struct WhatIfCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "whatif",
    abstract: "Run a program once and say what it would cost under other madvise, readahead and fault-around settings.",
    discussion: """
      Try it on a built-in program and a file that is made and removed:
        faultline whatif --demo

      Ask about the data files that your program maps:
        faultline whatif -- ./search --index big.idx
        faultline whatif --files '*.idx' --policy madvise=random,around=16K -- ./search

      Ask about start-up, that is about programs and libraries:
        faultline whatif --include-text -- python3 -c 'import json'

      Check the predictions against this machine's kernel, five runs for each policy that can be set here:
        faultline whatif --verify -- ./search --index big.idx

      Fail a build when a data file is no longer mapped in 2 MiB pages, or is read more often:
        faultline whatif --assert 'pmdMapped>=90%' --assert 'major<=100' -- ./search --index big.idx

      Counts are exact under the rules of the kernel named above the table. Time is an estimate from costs measured on \
      this machine in the same run. Exit code 1 when --verify finds a prediction outside the kernel's own range, or an --assert fails.
      """)

  @Flag(help: "Use a built-in program that reads one page in a hundred of a 64 MiB file, which is made and removed.")
  var demo = false

  @Flag(help: "Run the program again under the real kernel, five times for each policy, and compare.")
  var verify = false

  @OptionGroup var options: WhatIfOptions
  @OptionGroup var target: ProgramOptions

  func validate() throws {
    if demo && !target.program.isEmpty {
      throw ValidationError("--demo has a program of its own: leave out '\(target.program[0])', or leave out --demo")
    }
    if verify && target.coarse {
      throw ValidationError("--verify needs every touch: leave out --coarse")
    }
  }

  func run() throws {
    if demo {
      let demo = try DemoFile()
      try answer(try demo.command())
    } else {
      try answer(try target.command())
    }
  }

  private func answer(_ command: [String]) throws {
    let trace = try record(command)
    let verification = verify ? try Verification(of: trace, question: options.question) : nil
    var report = try options.answer(on: trace)
    try verification.map { try check(command, by: $0, into: &report) }
    try options.conclude(report)
  }

  /// What the program prints was seen once already.
  private func check(_ command: [String], by verification: Verification, into report: inout WhatIfReport) throws {
    let output = RedirectedOutput(to: .nowhere)
    defer { output.end() }
    var line = ProgressLine()
    defer { line.wipe() }
    try verification.run(command, into: &report) { line.show("verifying: \($0.policy)", fraction: $0.fraction) }
  }

  /// The recording never has a name, so that nothing is left behind however this ends.
  private func record(_ command: [String]) throws -> Trace {
    guard let file = NamelessFile() else {
      throw UnavailableError("no temporary file can be made: set TMPDIR to a directory")
    }
    let output = options.isForMachines ? RedirectedOutput(to: .standardError) : nil
    defer { output?.end() }
    let summary = try target.record(command, to: file.path)
    for warning in summary.warnings { Terminal.say("faultline: \(warning)") }
    return try Trace(path: file.path)
  }
}
