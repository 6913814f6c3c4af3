import ArgumentParser
import FaultlineWhatIf

/// `faultline bench speculate`
struct BenchSpeculateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "speculate",
    abstract: "Fault under a lock, under the area's lock and under none, beside threads that change the address space.",
    discussion: """
      Two ways to fault that kernels had and two that they never took: mmapLock (the lock of the address space), perVMA (the \
      lock of the area), speculative (no lock: a fault works on a copy of its area and compares a number of the address space \
      before it sets its entry), speculativePerVMA (the same with a number of the area).

      Each runs alone, two at once, beside a thread that maps and unmaps for a tenth of its time, and beside one that does \
      nothing else; beside it the same loop on the running kernel. A fault that finds the number changed gives up and begins \
      anew under the lock: the second table of each load says how often, and why. docs/speculative.md explains the reasons.

      Bars, with no lock: one thread takes at most 1.05 times its time under mmapLock; two fault at least 1.85 times as often \
      as one; a thread keeps 80 % of its rate beside the tenth, and with the area's number beside the other too.

      Two processors; give them to it alone. Exit codes: 0 done, 1 a bar does not hold, 2 usage, 3 one processor.
      """)

  @OptionGroup var options: BenchOptions

  @Option(
    help: ArgumentHelp(
      "How long each of the measurements takes, of which there are more than 1,100; 0.05 unless given.",
      valueName: "seconds"))
  var seconds: Double?

  func run() throws {
    let bench = try options.measure("speculate") {
      try SpeculateBench(quick: options.quick, seconds: seconds, progress: $0)
    }
    try options.show(bench.report, table: bench.tableText)
  }
}
