import ArgumentParser
import Faultline
import FaultlineFS
import FaultlineWhatIf
import Glibc

/// `faultline fs mkfs`
struct FsMakeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mkfs",
    abstract: "Make an empty file system, in a new file or over what is there.",
    discussion: """
      --mode says how metadata become durable:
        journal  whole blocks go to a journal first, as with ext4 (the default)
        log      the same log, with XFS's rule of what a commit is needed for: files are pinned until it is durable
        none     each fsync writes its file's metadata in place, as ext4 without a journal; a crash is left to repair

        faultline fs mkfs test.img --size 64M
        faultline fs mkfs test.img --force --mode log
      """)

  @OptionGroup var image: ImageArgument

  @Option(
    help: ArgumentHelp("Bytes of a new file, such as 64M; whole pages of 4096.", valueName: "size"),
    transform: FsMakeCommand.pages)
  var size: UInt64?

  @Option(help: "How metadata become durable: journal, log or none.")
  var mode = MetadataMode.orderedJournal

  @Option(help: "Blocks of the log, at least 24. (default: 1/16 of all, at most 1024)")
  var logBlocks: UInt64?

  @Option(help: "Inodes there shall be at least. (default: one for 16 blocks, at most 4096)")
  var inodes: UInt64?

  @Flag(help: "Make it over what is in the file.")
  var force = false

  func run() throws {
    let isThere = access(image.image, F_OK) == 0
    if isThere, !force {
      throw ValidationError("\(image.image) exists; what is in it is lost with --force")
    }
    if isThere, size != nil { throw ValidationError("--size is for a new file; \(image.image) keeps its size") }
    guard isThere || size != nil else {
      throw ValidationError("\(image.image) is not there; --size says how large to make it")
    }
    let device =
      try size.map { try FileDevice(creating: image.image, pageCount: $0) } ?? FileDevice(image.image)
    do {
      try ExtentFileSystem.make(on: device, mode: mode, logCount: logBlocks, inodeCount: inodes)
    } catch {
      if !isThere { unlink(image.image) }
      throw error
    }
  }

  private static func pages(_ text: String) throws -> UInt64 {
    guard let bytes = ByteSize.parse(text), bytes > 0, bytes.isMultiple(of: PageSize.bytes) else {
      throw ValidationError("'\(text)' is no size in whole pages of \(PageSize.bytes) bytes, such as 64M")
    }
    return bytes / PageSize.bytes
  }
}

extension MetadataMode: ExpressibleByArgument {
  public init?(argument: String) {
    guard let mode = MetadataMode.allCases.first(where: { $0.name == argument }) else { return nil }
    self = mode
  }

  public static var allValueStrings: [String] { allCases.map(\.name) }
  public var defaultValueDescription: String { name }
}
