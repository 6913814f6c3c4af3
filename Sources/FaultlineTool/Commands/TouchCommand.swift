import ArgumentParser
import FaultlineWhatIf

/// The built-in program of `whatif --demo`: not for people, so not in the help.
struct TouchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "touch", abstract: "Map a file and touch its pages in an order.", discussion: TouchProgram.usage,
    shouldDisplay: false)

  @Argument(parsing: .captureForPassthrough)
  var arguments: [String] = []

  func run() throws {
    let code = TouchProgram.run(arguments)
    if code != 0 { throw ExitCode(code) }
  }
}
