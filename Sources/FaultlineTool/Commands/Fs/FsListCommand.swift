import ArgumentParser
import Faultline
import FaultlineFS
import FaultlineWhatIf

/// `faultline fs ls`
struct FsListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ls",
    abstract: "List a directory of the image, by the bytes of the names.",
    discussion: "Blocks are of 4096 bytes and count what a file takes on the device, its extents' own blocks with it.")

  @OptionGroup var image: ImageArgument

  @Argument(help: "The directory.")
  var path = "/"

  @Flag(name: .shortAndLong, help: "List what is in the directories below, too.")
  var recursive = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let entries = try image.look { try Self.entries(of: path, in: $0, recursive: recursive, below: "") }
    if json {
      let list = entries.map { name, entry in
        JSON.object(
          [.init("name", .string(name))] + entry.status.members
            + [.init("damage", entry.damage.map { .string($0) } ?? .null)])
      }
      print(JSON.object([.init("path", .string(path)), .init("entries", .array(list))]).text)
    } else {
      var table = TextTable(head: ["name", "inode", "bytes", "blocks"])
      for (name, entry) in entries {
        let status = entry.status
        table.add([
          status.isDirectory ? name + "/" : name, "\(status.inode)", entry.damage == nil ? "\(status.size)" : "damaged",
          entry.damage == nil ? "\(status.blocks)" : "-",
        ])
      }
      print(table.text)
    }
  }

  private static func entries(
    of path: String, in fs: ExtentFileSystem, recursive: Bool, below prefix: String
  ) throws -> [(name: String, entry: ExtentFileSystem.ListedEntry)] {
    var all: [(String, ExtentFileSystem.ListedEntry)] = []
    for entry in try fs.list(path) {
      let name = prefix + entry.name
      all.append((name, entry))
      guard recursive, entry.status.isDirectory, entry.damage == nil else { continue }
      all += try entries(of: "\(path)/\(entry.name)", in: fs, recursive: true, below: name + "/")
    }
    return all
  }
}

extension FileStatus {
  /// Keys and values of a report.
  var members: [JSON.Member] {
    [
      .init("kind", .string(isDirectory ? "directory" : "file")), .init("inode", .unsigned(inode)),
      .init("sizeBytes", .unsigned(size)), .init("blocks", .unsigned(blocks)), .init("links", .unsigned(UInt64(links))),
    ]
  }
}
