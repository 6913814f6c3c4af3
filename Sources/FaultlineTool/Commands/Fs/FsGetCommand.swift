import ArgumentParser
import Faultline
import FaultlineFS

/// `faultline fs get`
struct FsGetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Copy a file out of the image, to standard output or to a file of the host.")

  @OptionGroup var image: ImageArgument

  @Argument(help: "The file in the image.")
  var path: String

  @Argument(help: "The file to make; it must not be there yet. (default: standard output)", completion: .file())
  var target: String?

  func run() throws {
    try image.look { fs in
      let file = try fs.open(path)
      // A directory is refused before anything is made on the host.
      _ = try file.read(at: 0, count: 1)
      let output = try HostStream(writing: target)
      var line = ProgressLine()
      defer { line.wipe() }
      var offset: UInt64 = 0
      while offset < file.size {
        let bytes = try file.read(at: offset, count: HostStream.portion)
        try output.write(bytes)
        offset += UInt64(bytes.count)
        if target != nil { line.show("get \(path)", fraction: Double(offset) / Double(file.size)) }
      }
      try output.finish()
    }
  }
}
