import ArgumentParser
import Faultline
import FaultlineCheck
import FaultlineFS

/// `faultline crash`: what a power cut may leave of files, at every point of small programs.
struct CrashCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crash",
    abstract: "Cut the power at every point of small programs on files, and look for what was promised.",
    discussion: """
      Without arguments it lists the scenarios. Each runs on the extent file system on a recording device; every image that \
      a power cut may leave is recovered, checked by fsck and held against what fsync, msync and MAP_SYNC have promised. Where \
      a point has more than --bound images, chosen and drawn ones are tried. What is found is told as a story and saved; \
      --replay FILE tells it again.

      --bug needs a build that has the faults on purpose:
        swift run -c release --traits ModelCheck --scratch-path .build-model faultline crash append --bug skipsFlushBeforeRecord

      Exit codes: 0 every promise held, 1 one was broken, 2 usage, 3 not in this build.
      """)

  @Argument(help: "The scenarios to try.")
  var scenarios: [String] = []

  @Flag(help: "Try every scenario.")
  var all = false

  @Option(help: "How the file system makes metadata durable: journal, log or none; by default each.")
  var mode: MetadataMode?

  @Option(help: "Put a fault into the engine or the file system first, to see that it is found.")
  var bug: String?

  @Option(help: "Up to so many images of one point, all are tried.")
  var bound = 1024

  @Option(help: "Of points with more: so many drawn ones.")
  var samples = 512

  @Option(help: "Where the drawing starts.")
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("Repeat the crash in this file.", valueName: "file"))
  var replay: String?

  @Option(help: ArgumentHelp("Where a finding is saved.", valueName: "file"))
  var output = "faultline-crash.txt"

  @Option(help: ArgumentHelp("Where a finding's device is saved, as the power cut left it.", valueName: "file"))
  var image = "faultline-crash.img"

  @Flag(help: "One JSON object on standard output.")
  var json = false

  func validate() throws {
    guard (1...1_000_000).contains(bound) else {
      throw ValidationError("--bound takes 1 to 1,000,000 images, not \(bound)")
    }
    guard (1...1_000_000).contains(samples) else {
      throw ValidationError("--samples takes 1 to 1,000,000 images, not \(samples)")
    }
    for name in scenarios where !FileScenario.programs.contains(where: { $0.name == name }) {
      throw ValidationError("no scenario is called \(name); faultline crash lists them")
    }
  }

  func run() throws {
    if let replay { return try repeatCrash(in: replay) }
    guard all || !scenarios.isEmpty else { return list() }
    try explore()
  }

  private func list() {
    let width = FileScenario.programs.map(\.name.count).max() ?? 0
    for program in FileScenario.programs {
      print("\(program.name)\(String(repeating: " ", count: width - program.name.count))  \(program.summary)")
    }
  }
}
