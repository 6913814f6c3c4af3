import Faultline
import FaultlineFS

/// The file of a stage that lies on a device: a small file system with one file, durable as it is when the threads begin.
struct DirectPlan: Sendable {
  /// Whether the mapping promises that what can be stored to is found after a crash.
  var isSynchronous = false
  /// Whether the file has blocks with data, instead of being one hole.
  var isWritten = false
  /// Whether the file is mapped a second time, at ``Stage/again``.
  var isMappedAgain = false

  func makeFileSystem(pages: UInt64) throws -> ExtentFileSystem {
    // Room for 2 MiB where they can be mapped at once.
    let device = try RAMDevice(pageCount: pages < PageSize.entriesPerTable ? 96 : 1600)
    try ExtentFileSystem.make(on: device, mode: .orderedJournal, logCount: 24, inodeCount: 16)
    let fileSystem = try ExtentFileSystem.mount(device)
    let file = try fileSystem.create(Self.path)
    let length = pages << PageSize.shift
    try file.resize(to: length)
    if isWritten { try file.write(repeatElement(0, count: Int(length)), at: 0) }
    try file.fsync()
    return fileSystem
  }

  func open(of fileSystem: ExtentFileSystem?, machine: Machine) throws -> FileNode {
    guard let file = try fileSystem?.open(Self.path) else { throw KernelError(.ENOENT, "no file system") }
    return try FileNode(machine: machine, traits: .ext4Direct, file: file)
  }

  /// What the file system reads of a page of the file.
  static func read(_ page: UInt64, of fileSystem: ExtentFileSystem) throws -> [UInt8] {
    let file = try fileSystem.open(path)
    defer { file.close() }
    return try file.read(at: page << PageSize.shift, count: Int(PageSize.bytes))
  }

  private static let path = "/file"
}
