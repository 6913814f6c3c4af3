import ArgumentParser
import Faultline
import FaultlineFS

/// `faultline fs rm`
struct FsRemoveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Take a file or a directory out of the image.")

  @OptionGroup var image: ImageArgument

  @Argument(help: "The file or directory.")
  var path: String

  @Flag(name: .shortAndLong, help: "Take out what is in a directory, too.")
  var recursive = false

  func run() throws {
    try image.change { try Self.remove(path, in: $0, recursive: recursive) }
  }

  private static func remove(_ path: String, in fs: ExtentFileSystem, recursive: Bool) throws {
    guard try fs.status(path).isDirectory else { return try fs.unlink(path) }
    if recursive {
      for entry in try fs.list(path) { try remove("\(path)/\(entry.name)", in: fs, recursive: true) }
    }
    try fs.removeDirectory(path)
  }
}
