import ArgumentParser
import FaultlineWhatIf

/// A program to run and record, behind `--`.
struct ProgramOptions: ParsableArguments {
  @Flag(
    help: """
      Leave the kernel's own fault-around on: works where userfaultfd or page-fault events are refused, and sees only one \
      touch for each fault.
      """)
  var coarse = false

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp("The program and its arguments, behind --.", valueName: "program"))
  var program: [String] = []

  /// The command to run.
  func command() throws -> [String] {
    guard !program.isEmpty else {
      throw ValidationError("name a program behind --, for example: -- python3 -c 'import json'")
    }
    return program
  }

  /// Records with a progress line.
  func record(_ command: [String], to output: String) throws -> RecordSummary {
    var options = Recorder.Options()
    options.isCoarse = coarse
    let line = RecordingLine()
    defer { line.wipe() }
    return try Recorder(options: options).record(command, output: output) { line.show(touches: $0) }
  }
}
