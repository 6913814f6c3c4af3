import FaultlineFS
import Testing

@testable import Faultline

/// A program that maps a file with DAX.
final class DirectStage {
  static let span = PageSize.entriesPerTable

  let machine: Machine
  let device: RAMDevice
  let fileSystem: ExtentFileSystem
  let extents: ExtentFile
  /// What the engine has of it.
  let commits: RefusingFile
  let node: FileNode
  let file: OpenFile
  let space: AddressSpace
  var task = FaultTask()
  /// A multiple of 2 MiB.
  let base: UInt64 = 1 << 20

  /// - Parameters:
  ///   - pages: of a file that is a hole everywhere.
  ///   - residue: the page of the device, modulo 512, at which the file begins.
  init(
    _ rules: KernelRules = .linux6_18, traits: FileTraits = .ext4Direct, pages: UInt64 = 2 * DirectStage.span,
    residue: UInt64 = 0, isSynchronous: Bool = true
  ) throws {
    machine = try Machine(rules: rules, frameCount: 1 << 12, contents: .bytes)
    device = try RAMDevice(pageCount: 1 << 16, isSynchronous: isSynchronous)
    try ExtentFileSystem.make(on: device, mode: traits.allocation == .extents ? .pinnedLog : .orderedJournal)
    fileSystem = try ExtentFileSystem.mount(device)
    extents = try fileSystem.create("file")
    extents.setPlacement(Placement([.init(pages: 0..<pages, residue: residue)]))
    commits = RefusingFile(extents)
    node = try FileNode(machine: machine, traits: traits, file: commits)
    file = OpenFile(node: node, mode: .readWrite)
    space = try AddressSpace(machine: machine)
    try node.resize(to: pages << PageSize.shift)
    try node.sync()
  }

  func map(
    at offset: UInt64 = 0, pages: UInt64? = nil, filePage: UInt64 = 0, _ flags: MapFlags = .shared
  ) throws {
    try space.mmap(
      address: VirtualAddress(page: base + offset),
      length: (pages ?? PageSize.pages(covering: node.size)) << PageSize.shift, protection: [.read, .write],
      flags: flags.union(.fixed), file: file, offset: filePage << PageSize.shift, by: &task)
  }

  func mapSync(at offset: UInt64 = 0) throws { try map(at: offset, [.sharedValidate, .sync]) }

  @discardableResult
  func store(_ page: UInt64, _ value: UInt64 = 1) -> Signal? {
    space.store(VirtualAddress(page: base + page), value, by: &task)
  }

  @discardableResult
  func load(_ page: UInt64) -> Result<UInt64, Signal> { space.load(VirtualAddress(page: base + page), by: &task) }

  func entry(_ page: UInt64) -> PageTableEntry { space.entry(ofPage: base + page) }

  /// What lies in the file's slot.
  func slot(_ page: UInt64) -> DAXEntry? {
    let word = node.slots.load(page)
    return word == 0 ? nil : DAXEntry(rawValue: word)
  }

  func isMarkedDirty(_ page: UInt64) -> Bool { node.slots.isMarked(page, .dirty) }

  /// The page of the device that an entry shows.
  func devicePage(_ page: UInt64) throws -> UInt64 {
    try machine.pages(of: device).page(of: machine.memory.frame(entry(page).frame))
  }

  /// Whether a crash now would leave a page of the file written where its entry shows it.
  func survives(_ page: UInt64) throws -> Bool {
    let bytes = page << PageSize.shift..<(page + 1) << PageSize.shift
    return try extents.isDurable(bytes, at: devicePage(page) << PageSize.shift) == true
  }

  /// The pages of the file that have blocks.
  func allocated() throws -> [Range<UInt64>] { try extents.extentReport().map { $0.page..<$0.page + $0.count } }

  /// Commits of the file system since its mount.
  var commitCount: UInt64 { fileSystem.statistics.commits }

  /// What was noted since the last call.
  func events(of body: () throws -> Void) rethrows -> [EngineEvent] {
    machine.events.start()
    try body()
    machine.events.stop()
    return machine.events.drain().events
  }

  /// Faults that were counted: minor and major.
  func faults(of body: () -> Void) -> [UInt64] {
    let before = (task.minorFaults, task.majorFaults)
    body()
    return [task.minorFaults - before.0, task.majorFaults - before.1]
  }
}
