import ArgumentParser
import Faultline
import FaultlineFS

/// `faultline fs put`
struct FsPutCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "put",
    abstract: "Copy a file of the host into the image.",
    discussion: """
      The copy gets a name when all of it is durable: whatever happens, the name leads to the old file or to the whole new \
      one. `-` reads standard input.
        faultline fs put test.img big.idx /data/big.idx --parents
      """)

  @OptionGroup var image: ImageArgument

  @Argument(help: "The file to copy, or -.", completion: .file())
  var source: String

  @Argument(help: "What it is called in the image. (default: /, and the source's last name)")
  var path: String?

  @Flag(help: "Replace a file that is there.")
  var force = false

  @Flag(help: "Make the directories that the path needs.")
  var parents = false

  func run() throws {
    guard let name = path ?? source.split(separator: "/").last.map(String.init), name != "-" else {
      throw ValidationError("what comes from standard input needs a path in the image")
    }
    let input = try HostStream(reading: source)
    try image.change { fs in
      if parents { try makeParents(of: name, fs) }
      try checkIsFree(name, fs)
      let temporary = try unusedName(beside: name, fs)
      let file = try fs.create(temporary)
      defer { file.close() }
      do {
        try copy(input, to: file)
        try file.fsync()
        try fs.rename(temporary, to: name)
      } catch {
        try? fs.unlink(temporary)
        throw error
      }
    }
  }

  private func copy(_ input: HostStream, to file: ExtentFile) throws {
    var line = ProgressLine()
    defer { line.wipe() }
    while let bytes = try input.next() {
      try file.write(bytes, at: file.size)
      line.show("put \(source)", fraction: input.fraction)
    }
  }

  private func checkIsFree(_ name: String, _ fs: ExtentFileSystem) throws {
    do throws(KernelError) {
      let present = try fs.status(name)
      guard !present.isDirectory else { throw KernelError(.EISDIR, "\"\(name)\" is a directory") }
      guard force else { throw KernelError(.EEXIST, "\"\(name)\" exists; --force replaces it") }
    } catch {
      guard error.errno == .ENOENT else { throw error }
    }
  }

  private func unusedName(beside name: String, _ fs: ExtentFileSystem) throws -> String {
    let directory = name.split(separator: "/").dropLast().joined(separator: "/")
    let present = Set(try fs.list("/" + directory).map(\.name))
    var number = 0
    while present.contains(".put\(number)") { number += 1 }
    return "/\(directory)/.put\(number)"
  }

  private func makeParents(of name: String, _ fs: ExtentFileSystem) throws {
    let names = name.split(separator: "/").dropLast()
    for count in names.indices {
      do throws(KernelError) { try fs.makeDirectory("/" + names[...count].joined(separator: "/")) } catch {
        guard error.errno == .EEXIST else { throw error }
      }
    }
  }
}
