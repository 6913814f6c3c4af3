import ArgumentParser
import Faultline
import FaultlineFS
import FaultlineWhatIf

/// `faultline fs stat`
struct FsStatCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stat",
    abstract: "Show a file's numbers and where its pages lie on the device.",
    discussion: """
      An extent is a run of pages that lie one behind the other. 512 of them can be mapped by one entry of 2 MiB where page and \
      device page are the same modulo 512.
      """)

  @OptionGroup var image: ImageArgument

  @Argument(help: "The file or directory.")
  var path: String

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let (status, extents) = try image.look { fs in
      let file = try fs.open(path)
      return (try file.status(), try file.extentReport())
    }
    if json {
      let list = extents.map {
        JSON.object([
          .init("page", .unsigned($0.page)), .init("pages", .unsigned($0.count)),
          .init("devicePage", .unsigned($0.devicePage)), .init("written", .bool($0.isWritten)),
        ])
      }
      print(
        JSON.object([.init("path", .string(path))] + status.members + [.init("extents", .array(list))]).text)
      return
    }
    print(
      "\(path): \(status.isDirectory ? "directory" : "file"), inode \(status.inode), \(status.size) bytes, "
        + "\(status.blocks) blocks")
    guard !extents.isEmpty else { return }
    var table = TextTable(head: ["extent", "page", "pages", "device page"])
    for extent in extents {
      table.add([
        extent.isWritten ? "written" : "unwritten", "\(extent.page)", "\(extent.count)", "\(extent.devicePage)",
      ])
    }
    print(table.text)
  }
}
