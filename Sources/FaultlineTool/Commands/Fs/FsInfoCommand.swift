import ArgumentParser
import Faultline
import FaultlineFS
import FaultlineWhatIf

/// `faultline fs info`
struct FsInfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Show an image's layout, its room, and whether it was unmounted.")

  @OptionGroup var image: ImageArgument

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let (geometry, statistics, wasClean) = try image.look { ($0.geometry, $0.statistics, $0.wasClean) }
    if json {
      print(
        JSON.object([
          .init("mode", .string(geometry.mode.name)), .init("clean", .bool(wasClean)),
          .init("damage", statistics.damage.map { .string($0) } ?? .null),
          .init("blocks", .unsigned(geometry.blockCount)), .init("logBlocks", .unsigned(geometry.logCount)),
          .init("dataBlocks", .unsigned(statistics.blocks)), .init("freeBlocks", .unsigned(statistics.freeBlocks)),
          .init("inodes", .unsigned(statistics.inodes)), .init("freeInodes", .unsigned(statistics.freeInodes)),
        ]).text)
      return
    }
    print(
      """
      mode         \(geometry.mode.name)
      state        \(wasClean ? "unmounted" : "not unmounted: the next mount recovers")
      blocks       \(geometry.blockCount) of 4096 bytes, \(geometry.logCount) of them the log
      free         \(statistics.freeBlocks) of \(statistics.blocks) blocks for data
      inodes       \(statistics.freeInodes) of \(statistics.inodes) are free
      """)
    if let damage = statistics.damage { print("damage       \(damage)") }
  }
}
