import ArgumentParser

/// The command `faultline`: its subcommands, and how every failure becomes one line and an exit code.
@main
struct Faultline: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "faultline",
    abstract: "What do the page faults of a program cost, and what would they cost under another policy?",
    discussion: """
      Start here; both run in seconds and need no root:
        faultline whatif --demo
        faultline whatif --include-text -- python3 -c 'import json'

      The usual question, about the data files that a program maps:
        faultline whatif -- ./search-engine --index big.idx
        faultline whatif --policy madvise=random,around=16K -- ./search-engine

      Exit codes: 0 done, 1 a verification or bar failed, 2 usage, 3 not available on this machine (the message \
      says what would enable it).
      """,
    subcommands: [
      WhatIfCommand.self, RecordCommand.self, ReplayCommand.self, OpsCommand.self, FuzzCommand.self,
      ExploreCommand.self, CrashCommand.self,
      FsCommand.self,
      DoctorCommand.self,
      BenchCommand.self,
      TouchCommand.self, KernelScriptCommand.self,
    ])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      ExitStatus.exit(for: error, of: Self.self)
    }
  }
}
