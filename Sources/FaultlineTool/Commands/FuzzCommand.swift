import ArgumentParser
import Faultline
import FaultlineCheck

/// `faultline fuzz`: random operation scripts with the invariants checked after every operation.
struct FuzzCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz",
    abstract: "Draw operation scripts, run them on the engine, and check the invariants after every operation.",
    discussion: """
      What is found is cut down to the smallest script that still fails, and printed; save it and look at it again with \
      faultline ops --check. The seed decides everything.

      Exit codes: 0 nothing found, 1 something found.
      """)

  @Option(name: .customLong("ops"), help: "How many operations at least.")
  var operations: Int = 100_000

  @Option(help: "Where the drawing starts.")
  var seed: UInt64 = 1

  @Option(help: "The kernel whose rules hold.")
  var kernel: String = KernelRules.linux6_18.name

  @Option(help: "Pages of files that may be cached, so that reclaim takes part.")
  var cacheLimit: UInt64?

  func validate() throws {
    guard operations > 0 else { throw ValidationError("--ops takes a positive number, not \(operations)") }
  }

  func run() throws {
    guard let rules = KernelRules.all.first(where: { $0.name == kernel }) else {
      throw ValidationError("no rules for kernel \(kernel); there are \(KernelRules.all.map(\.name))")
    }
    var line = ProgressLine()
    var last: Fuzzer.Progress?
    let finding = try Fuzzer(rules: rules, cacheLimit: cacheLimit).run(operations: operations, seed: seed) { progress in
      last = progress
      line.show("fuzz", fraction: Double(progress.operations) / Double(operations))
      return true
    }
    line.wipe()
    if let finding {
      print(finding)
      throw ExitCode(ExitStatus.failed.rawValue)
    }
    print("nothing found in \(last?.operations ?? 0) operations of \(last?.scripts ?? 0) scripts, seed \(seed)")
  }
}
