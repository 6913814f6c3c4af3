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
    Terminal.say("faultline: \(command.message(for: error)) (see --help)")
    Glibc.exit(usage.rawValue)
  }
}

/// An error of the library together with the exit code that it means.
protocol ExitStatusError: Error {
  var exitStatus: ExitStatus { get }
}

extension TraceError: ExitStatusError {
  var exitStatus: ExitStatus { .usage }
}

extension WhatIfError: ExitStatusError {
  var exitStatus: ExitStatus {
    switch self {
    case .nothingChosen: .usage
    case .residencyUnknown, .engine: .unavailable
    }
  }
}
