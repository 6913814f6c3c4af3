import ArgumentParser
import FaultlineCheck

/// The process that runs operation scripts on this machine's kernel: not for people, so not in the help.
struct KernelScriptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernel-script", abstract: "Run operation scripts from standard input on this machine's kernel.",
    shouldDisplay: false)

  @Option(help: "Where the scripts' files lie.")
  var directory: String

  @Option(help: "Milliseconds of rest after each operation.")
  var settle: Int64 = 0

  func run() {
    KernelScriptServer.serve(directory: directory, settleMilliseconds: settle)
  }

  /// The command line of such a process, made of this program.
  static func server(directory: String, settleMilliseconds: Int64 = 0) -> [String] {
    [
      "/proc/self/exe", configuration.commandName ?? "", "--directory", directory, "--settle",
      String(settleMilliseconds),
    ]
  }
}

extension KernelRunError: ExitStatusError {
  var exitStatus: ExitStatus {
    switch self {
    case .script: .usage
    case .unavailable, .died: .unavailable
    }
  }
}
