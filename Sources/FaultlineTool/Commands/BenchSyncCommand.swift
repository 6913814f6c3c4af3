import ArgumentParser
import FaultlineWhatIf
import Foundation

/// `faultline bench sync`
struct BenchSyncCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync",
    abstract: "Time the first store to each page of a file on persistent memory, with MAP_SYNC and without.",
    discussion: """
      The experiment that synchronous page faults were posted with: 512 pages of a file that is written, fallocated or empty, \
      idle or beside a thread that copies files, by entries of 4 KiB and 2 MiB, for three ways of keeping metadata, on a \
      device in memory and on one in a file; and what it saves when a store prepares the pages around its own.
      """)

  @OptionGroup var options: BenchOptions

  @Option(help: ArgumentHelp("Where the file device is made and removed.", valueName: "path"))
  var directory = NSTemporaryDirectory()

  @Option(help: ArgumentHelp("Pages that a synchronous store prepares: a power of two, 2 to 512.", valueName: "pages"))
  var window: UInt64 = 16

  func validate() throws {
    guard (2...512).contains(window), window.nonzeroBitCount == 1 else {
      throw ValidationError("a window of \(window) pages is none: give --window a power of two from 2 to 512.")
    }
  }

  func run() throws {
    let bench = try options.measure("sync") {
      try SyncBench(quick: options.quick, window: window, directory: directory, progress: $0)
    }
    try options.show(bench.report, table: bench.tableText)
  }
}
