import Faultline
import FaultlineFS
import Testing

/// An empty file of an extent file system, mapped with MAP_SYNC by single pages.
///
/// `@unchecked Sendable`: threads only store and load, which any thread may.
final class SyncWindowStage: @unchecked Sendable {
  private static let start: UInt64 = 1 << 20

  let fs: ExtentFileSystem
  let file: ExtentFile
  private let space: AddressSpace
  private let mapped: Range<UInt64>
  private var open: OpenFile?
  private let commitsBefore: UInt64

  init(
    pages: UInt64, mapped: Range<UInt64>? = nil, window: UInt64, mode: MetadataMode, devicePages: UInt64
  ) throws {
    let device = try RAMDevice(pageCount: devicePages)
    try ExtentFileSystem.make(on: device, mode: mode)
    fs = try ExtentFileSystem.mount(device)
    file = try fs.create("a")
    try file.resize(to: pages << 12)
    try file.fsync()
    commitsBefore = fs.statistics.commits

    var rules = KernelRules.faultline
    rules.direct.syncWindowPages = window
    let machine = try Machine(rules: rules, frameCount: 1 << 12, contents: .bytes)
    space = try AddressSpace(machine: machine)
    self.mapped = mapped ?? 0..<pages
    let open = OpenFile(node: try FileNode(machine: machine, traits: .ext4Direct, file: file), mode: .readWrite)
    self.open = open
    var task = FaultTask()
    let address = VirtualAddress(page: Self.start + self.mapped.lowerBound)
    let length = UInt64(self.mapped.count) << 12
    try space.mmap(
      address: address, length: length, protection: [.read, .write], flags: [.sharedValidate, .sync, .fixed],
      file: open,
      offset: self.mapped.lowerBound << 12, by: &task)
    try space.madvise(address, length: length, .noHugePage, by: &task)
  }

  /// Since the mapping was made.
  var commits: UInt64 { fs.statistics.commits - commitsBefore }

  var pagesWithBlocks: [UInt64] {
    get throws { try file.extentReport().flatMap { Array($0.page..<$0.page + $0.count) } }
  }

  struct SignalCame: Error { let page: UInt64 }

  /// Stores the number behind the page's to it.
  func store(_ page: UInt64) throws {
    var task = FaultTask()
    let address = VirtualAddress(page: Self.start + page)
    guard space.store(address, page + 1, by: &task) == nil else { throw SignalCame(page: page) }
  }

  func load(_ page: UInt64) throws -> UInt64 {
    var task = FaultTask()
    return try space.load(VirtualAddress(page: Self.start + page), by: &task).mapError { _ in SignalCame(page: page) }
      .get()
  }

  /// write(2).
  func write(_ value: UInt64, toPage page: UInt64) throws {
    let open = try #require(open)
    try withUnsafeBytes(of: value) { try open.write(at: page << 12, $0) }
  }

  /// Ends the mapping and closes the file.
  func close() {
    try? space.munmap(
      VirtualAddress(page: Self.start + mapped.lowerBound), length: UInt64(mapped.count) << 12)
    open = nil
    file.close()
  }
}
