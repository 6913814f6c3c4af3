import ArgumentParser
import FaultlineWhatIf
import Glibc

/// The exit codes that every command shares.
enum ExitStatus: Int32 {
  case done = 0
  /// An assertion, a verification or a bar did not hold.
  case failed = 1
  /// The command line or an input is not what it should be.
  case usage = 2
  /// This machine or this user cannot do it.
  case unavailable = 3

  /// Ends the process as `error` asks: help goes to stdout, everything else is one clear line on stderr.
  static func exit(for error: any Error, of command: any ParsableCommand.Type) -> Never {
    if let code = error as? ExitCode { Glibc.exit(code.rawValue) }
    if let status = (error as? any ExitStatusError)?.exitStatus {
      Terminal.say("faultline: \(error)")
      Glibc.exit(status.rawValue)
    }
    if command.exitCode(for: error).isSuccess {
      print(command.fullMessage(for: error))
      Glibc.exit(done.rawValue)
    }
    let message = command.message(for: error)
    Terminal.say("faultline: \(message) (\(hint(for: message)))")
    Glibc.exit(usage.rawValue)
  }

  /// What to do about a command line that does not parse.
  private static func hint(for message: String) -> String {
    let arguments = CommandLine.arguments.dropFirst()
    guard let name = arguments.first, ["whatif", "record"].contains(name), !arguments.contains("--"),
      message.hasPrefix("Unexpected argument")
    else { return "see --help" }
    return "a program goes behind --, as in: faultline \(name) … -- PROGRAM; see --help"
  }
}

/// An error of the library together with the exit code that it means.
protocol ExitStatusError: Error {
  var exitStatus: ExitStatus { get }
}

extension TraceError: ExitStatusError {
  var exitStatus: ExitStatus { .usage }
}

extension RecordError: ExitStatusError {
  var exitStatus: ExitStatus {
    switch self {
    case .cannotRun, .trace: .usage
    case .unavailable, .unsupported, .notOwnedOrWritable, .cacheState: .unavailable
    }
  }
}

/// What the command itself cannot do here, and what would enable it.
struct UnavailableError: ExitStatusError, CustomStringConvertible {
  let description: String
  var exitStatus: ExitStatus { .unavailable }

  init(_ description: String) { self.description = description }
}

extension WhatIfError: ExitStatusError {
  var exitStatus: ExitStatus {
    switch self {
    case .nothingChosen, .cannotVerifyAsIs: .usage
    case .residencyUnknown, .engine: .unavailable
    }
  }
}
