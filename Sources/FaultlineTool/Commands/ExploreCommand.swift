import ArgumentParser
import Faultline
import FaultlineCheck

/// `faultline explore`: the engine's races in every order that matters.
struct ExploreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explore",
    abstract: "Run small races of the fault path in every order that matters, and in many random ones.",
    discussion: """
      Without arguments it lists the scenarios. Scenarios of two threads are explored in every order within --bound \
      preemptions; larger ones, and all with --random, under random schedules. What is found is told as a story and saved; \
      --schedule FILE tells it again.

      Needs a build whose shared words are scheduling points:
        swift run -c release --traits ModelCheck --scratch-path .build-model faultline explore --all

      Exit codes: 0 nothing found, 1 something found, 3 not in this build.
      """)

  @Argument(help: "The scenario to explore.")
  var scenario: String?

  @Flag(help: "Explore every scenario.")
  var all = false

  @Option(help: "How many preemptions an order may have.")
  var bound = 2

  @Option(help: "Random schedules for each scenario; by default 40,000 for those of three and four threads.")
  var random: Int?

  @Option(help: "Where the drawing starts.")
  var seed: UInt64 = 1

  @Flag(help: "Five times as many random schedules.")
  var long = false

  @Option(help: ArgumentHelp("Repeat the schedule in this file.", valueName: "file"))
  var schedule: String?

  @Option(help: "Put a fault into the engine first, to see that it is found.")
  var bug: String?

  @Option(help: ArgumentHelp("Where a finding is saved.", valueName: "file"))
  var output = "faultline-schedule.txt"

  @Flag(help: "One JSON object on standard output.")
  var json = false

  func validate() throws {
    guard (0...8).contains(bound) else { throw ValidationError("--bound takes 0 to 8 preemptions, not \(bound)") }
    if let random, !(1...100_000_000).contains(random) {
      throw ValidationError("--random takes 1 to 100,000,000 schedules, not \(random)")
    }
    if let scenario, Scenario.named(scenario) == nil {
      throw ValidationError("no scenario is called \(scenario); faultline explore lists them")
    }
  }

  func run() throws {
    guard scenario != nil || all || schedule != nil else { return list() }
    #if ModelCheck
      try explore()
    #else
      throw UnavailableError(
        "this build has no scheduling points; use: swift run -c release --traits ModelCheck --scratch-path .build-model"
          + " faultline explore")
    #endif
  }

  private func list() {
    let width = Scenario.all.map(\.name.count).max() ?? 0
    for scenario in Scenario.all {
      let name = scenario.name + String(repeating: " ", count: width - scenario.name.count)
      print("\(name)  \(scenario.threadCount) threads  \(scenario.summary)")
    }
  }
}
