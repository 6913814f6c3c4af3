import Faultline
import FaultlineCheck
import FaultlineFS
import Testing

/// What Linux 6.1 and 6.18 show after a crash, on ext4 and XFS alike: 64 pages of a file were stored to, then the machine was
/// gone. Every image that the end of the program may leave shows just that here.
@Suite struct KernelCrashTests {
  @Test(arguments: [MetadataMode.orderedJournal, .pinnedLog])
  func synchronousStoresToASparseFileSurvive(mode: MetadataMode) throws {
    let outcome = "size=262144 blocks=512 pattern=64 zero=0 extents: 0+64"
    try expect(outcome, of: StoredFile(mode, .stores(synchronous: true), isSizeDurable: true))
  }

  @Test(arguments: [MetadataMode.orderedJournal, .pinnedLog])
  func plainStoresToASparseFileAreLost(mode: MetadataMode) throws {
    let outcome = "size=262144 blocks=0 pattern=0 zero=64 extents:"
    try expect(outcome, of: StoredFile(mode, .stores(synchronous: false), isSizeDurable: true))
  }

  @Test(arguments: [MetadataMode.orderedJournal, .pinnedLog])
  func synchronousStoresBringSizeAndNameAlong(mode: MetadataMode) throws {
    let outcome = "size=262144 blocks=512 pattern=64 zero=0 extents: 0+64"
    try expect(outcome, of: StoredFile(mode, .stores(synchronous: true), isSizeDurable: false))
  }

  @Test(arguments: [MetadataMode.orderedJournal, .pinnedLog])
  func aFileWithPlainStoresAndNoSyncIsAbsent(mode: MetadataMode) throws {
    try expect("absent", of: StoredFile(mode, .stores(synchronous: false), isSizeDurable: false))
  }

  @Test(arguments: [MetadataMode.orderedJournal, .pinnedLog])
  func plainStoresToPreallocatedBlocksReadAsZero(mode: MetadataMode) throws {
    let outcome = "size=262144 blocks=512 pattern=0 zero=64 extents: 0+64u"
    try expect(
      outcome, of: StoredFile(mode, .stores(synchronous: false), isSizeDurable: true, isAllocated: true))
  }

  @Test(arguments: [MetadataMode.orderedJournal, .pinnedLog])
  func synchronousStoresToPreallocatedBlocksSurvive(mode: MetadataMode) throws {
    let outcome = "size=262144 blocks=512 pattern=64 zero=0 extents: 0+64"
    try expect(outcome, of: StoredFile(mode, .stores(synchronous: true), isSizeDurable: true, isAllocated: true))
  }

  @Test(arguments: [MetadataMode.orderedJournal, .pinnedLog])
  func plainStoresSurviveAfterAnFsync(mode: MetadataMode) throws {
    let outcome = "size=262144 blocks=512 pattern=64 zero=0 extents: 0+64"
    try expect(
      outcome, of: StoredFile(mode, .stores(synchronous: false), isSizeDurable: false, isSyncedAtEnd: true))
  }

  @Test(arguments: [MetadataMode.orderedJournal, .pinnedLog])
  func whatOnlyThePageCacheHasIsLost(mode: MetadataMode) throws {
    let outcome = "size=262144 blocks=0 pattern=0 zero=64 extents:"
    try expect(outcome, of: StoredFile(mode, .bufferedWrites, isSizeDurable: true))
  }

  private func expect(_ outcome: String, of scenario: StoredFile) throws {
    let report = try CrashExplorer(CrashLimits(combinations: 64, samples: 8, recoveries: 0)).explore(
      Ended(scenario, outcome: outcome))
    #expect(report.finding == nil)
    #expect(report.checks > 0)
  }
}

/// What was done to a file of 64 pages before the crash.
struct StoredFile: Sendable {
  enum Way: Sendable {
    case stores(synchronous: Bool)
    case bufferedWrites
  }

  static let pages: UInt64 = 64
  static let pattern: UInt64 = 0x5041_5454_4552_4E21

  let mode: MetadataMode
  let way: Way
  /// Whether name and size were synced before the first store.
  let isSizeDurable: Bool
  let isAllocated: Bool
  let isSyncedAtEnd: Bool

  init(
    _ mode: MetadataMode, _ way: Way, isSizeDurable: Bool, isAllocated: Bool = false, isSyncedAtEnd: Bool = false
  ) {
    self.mode = mode
    self.way = way
    self.isSizeDurable = isSizeDurable
    self.isAllocated = isAllocated
    self.isSyncedAtEnd = isSyncedAtEnd
  }

  func run(_ fs: ExtentFileSystem) throws {
    let file = try fs.create("a")
    let size = Self.pages << PageSize.shift
    try file.resize(to: size)
    if isAllocated { try file.change(.allocate, 0..<size, keepSize: false) }
    if isSizeDurable {
      try file.fsync()
      try fs.open("/").fsync()
    }
    let machine = try Machine(frameCount: 4096, contents: .bytes)
    switch way {
    case .stores(let synchronous): try store(file, synchronous, machine)
    case .bufferedWrites: try write(file, machine)
    }
  }

  private func store(_ file: ExtentFile, _ isSynchronous: Bool, _ machine: Machine) throws {
    let traits: FileTraits = mode == .pinnedLog ? .xfsDirect : .ext4Direct
    let node = try FileNode(machine: machine, traits: traits, file: file)
    let space = try AddressSpace(machine: machine)
    var task = FaultTask()
    let start = try space.mmap(
      length: Self.pages << PageSize.shift, protection: [.read, .write],
      flags: isSynchronous ? [.sharedValidate, .sync] : .shared, file: OpenFile(node: node, mode: .readWrite), by: &task
    )
    for page in 0..<Self.pages {
      #expect(space.store(VirtualAddress(page: start.page + page), Self.pattern, by: &task) == nil)
      guard let extent = try file.extentReport().last(where: { $0.page <= page }) else { continue }
      let place = (extent.devicePage + (page - extent.page)) << PageSize.shift
      try file.device.persist(place..<place + 8)
    }
    if isSyncedAtEnd { try node.sync() }
  }

  private func write(_ file: ExtentFile, _ machine: Machine) throws {
    let node = FileNode(
      machine: machine, traits: .ext4(machine.rules), store: CachedFile(file), size: Self.pages << PageSize.shift)
    let open = OpenFile(node: node, mode: .readWrite)
    for page in 0..<Self.pages {
      try withUnsafeBytes(of: Self.pattern) { try open.write(at: page << PageSize.shift, $0) }
    }
  }
}

/// A file of the extent file system behind the page cache.
private final class CachedFile: BackingStore {
  private let file: ExtentFile

  init(_ file: ExtentFile) { self.file = file }

  func read(firstPage: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StoreError) {
    do throws(KernelError) {
      let bytes = try file.read(at: firstPage << PageSize.shift, count: buffer.count)
      buffer.initializeMemory(as: UInt8.self, repeating: 0)
      buffer.copyBytes(from: bytes)
    } catch {
      throw StoreError(page: firstPage, message: error.message)
    }
  }

  func write(firstPage: UInt64, from buffer: UnsafeRawBufferPointer) throws(StoreError) {
    do throws(KernelError) {
      try file.write(buffer, at: firstPage << PageSize.shift)
    } catch {
      throw StoreError(page: firstPage, message: error.message)
    }
  }
}

/// Runs to the end and looks only at crashes there.
private struct Ended: CrashScenario {
  private let stored: StoredFile
  private let outcome: String

  let name = "stored-file"
  let summary = "64 pages of a file are stored to"
  let pageCount: UInt64 = 192

  init(_ stored: StoredFile, outcome: String) {
    self.stored = stored
    self.outcome = outcome
  }

  func prepare(_ device: any DAXDevice) throws { try ExtentFileSystem.make(on: device, mode: stored.mode) }

  func run(_ recorder: CrashRecorder<String>) throws {
    try stored.run(ExtentFileSystem.mount(recorder.device))
    recorder.promise("the program has ended")
  }

  func check(_ device: any DAXDevice, at moment: CrashMoment<String>) throws -> [String] {
    guard !moment.promises.isEmpty else { return [] }
    let found = try Self.outcome(ExtentFileSystem.mount(device))
    return found == outcome ? [] : ["after the crash: \(found); the kernel shows \(outcome)"]
  }

  /// As the recordings have it; blocks are of 512 bytes.
  private static func outcome(_ fs: ExtentFileSystem) throws -> String {
    guard try fs.list("/").contains(where: { $0.name == "a" }) else { return "absent" }
    let file = try fs.open("a")
    var pattern = 0
    var zero = 0
    for page in 0..<StoredFile.pages {
      let bytes = try file.read(at: page << PageSize.shift, count: 8)
      let word = bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
      if word == StoredFile.pattern { pattern += 1 } else if word == 0 { zero += 1 }
    }
    let extents = try file.extentReport()
    let blocks = extents.reduce(0) { $0 + $1.count } * 8
    let runs = extents.map { " \($0.page)+\($0.count)\($0.isWritten ? "" : "u")" }.joined()
    return "size=\(file.size) blocks=\(blocks) pattern=\(pattern) zero=\(zero) extents:\(runs)"
  }
}
