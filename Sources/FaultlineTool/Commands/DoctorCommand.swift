import ArgumentParser
import FaultlineWhatIf

/// `faultline doctor`
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Say what works on this machine, what does not, and what would enable it.",
    discussion: """
      Looks at the kernel, at what recording needs (userfaultfd, page-fault events, ptrace), and at the file system of \
      a directory (fault-around and readahead, both of which decide how many pages one fault brings).

      Exit code 0 when recordings can see every first touch here, 3 when they cannot.
      """)

  @Argument(help: "The directory whose file system is examined.")
  var directory = "."

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let findings = Doctor.examine(directory: directory)
    if json {
      let document = JSON.object([
        .init("canRecord", .bool(Doctor.canRecord(findings))), .init("findings", .array(findings.map(\.json))),
      ])
      print(document.text)
    } else {
      print(Doctor.screen(findings))
    }
    if !Doctor.canRecord(findings) { throw ExitCode(ExitStatus.unavailable.rawValue) }
  }
}
