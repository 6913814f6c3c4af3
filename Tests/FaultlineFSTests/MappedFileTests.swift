import Faultline
import FaultlineFS
import Testing

/// What the engine asks of a file on a device.
@Suite struct MappedFileTests {
  static func fileSystem(
    pages: UInt64 = 4096, mode: MetadataMode = .orderedJournal, rules: FileSystemRules? = nil
  ) throws -> ExtentFileSystem {
    let device = try RAMDevice(pageCount: pages)
    try ExtentFileSystem.make(on: device, mode: mode)
    return try ExtentFileSystem.mount(device, options: MountOptions(rules: rules))
  }

  static func page(_ index: UInt64, count: UInt64 = 1) -> Range<UInt64> { index << 12..<(index + count) << 12 }

  /// A store's map, as a fault asks for it.
  static func mapForStore(_ file: ExtentFile, _ range: Range<UInt64>) throws -> IOMap {
    try file.beginHandle()
    defer { file.endHandle() }
    return try file.map(range, for: [.write, .fault])
  }

  @Test func aStoreToAHoleGetsZeroedWrittenBlocksThatAreDirtyUntilTheCommit() throws {
    let fs = try Self.fileSystem()
    let file = try fs.create("a")
    try file.resize(to: 1 << 20)
    try file.fsync()
    #expect(try file.map(Self.page(3), for: .fault).kind == .hole)

    let first = try Self.mapForStore(file, Self.page(3))
    #expect(first.kind == .mapped && first.range == Self.page(3))
    #expect(first.flags == [.new, .dirty])
    #expect(fs.device.bytes.load(fromByteOffset: Int(first.address), as: UInt64.self) == 0)
    try file.commit(dataOnly: true)
    #expect(try Self.mapForStore(file, Self.page(3)).flags == [])
    try fs.unmount()
    #expect(FileSystemCheck.run(fs.device) == [])
  }

  @Test func aShortUnwrittenExtentIsConvertedWholeOnExt4AndPageByPageOnXFS() throws {
    for (rules, dirtyPages) in [(FileSystemRules.ext4, 1), (.xfs, 4)] {
      let fs = try Self.fileSystem(rules: rules)
      let file = try fs.create("a")
      try file.change(.allocate, Self.page(0, count: 4), keepSize: false)
      try file.fsync()
      var dirty = 0
      for page in 0..<4 as Range<UInt64> {
        if try Self.mapForStore(file, Self.page(page)).flags.contains(.dirty) {
          dirty += 1
          try file.commit(dataOnly: true)
        }
      }
      #expect(dirty == dirtyPages)
    }
  }

  @Test func aLongUnwrittenExtentIsConvertedPageByPageInOrder() throws {
    let fs = try Self.fileSystem()
    let file = try fs.create("a")
    try file.change(.allocate, Self.page(0, count: 512), keepSize: false)
    try file.fsync()
    for page in 0..<512 as Range<UInt64> {
      #expect(try Self.mapForStore(file, Self.page(page)).flags.contains([.new, .dirty]))
      try file.commit(dataOnly: true)
    }
    #expect(try file.extentReport().map(\.count) == [512])
  }

  @Test func aStoreToTheLastPartialPageIsDirtyAlways() throws {
    let fs = try Self.fileSystem()
    let file = try fs.create("a")
    try file.write(Array(repeating: 7, count: 5000), at: 0)
    try file.fsync()
    #expect(try Self.mapForStore(file, Self.page(0)).flags == [])
    #expect(try Self.mapForStore(file, Self.page(1)).flags == [.dirty])
  }

  @Test func largeExtentsLieWhereOneEntryMapsThem() throws {
    let fs = try Self.fileSystem(pages: 8192)
    let file = try fs.create("a")
    try file.change(.allocate, Self.page(0, count: 2048), keepSize: false)
    let extents = try file.extentReport()
    #expect(extents.count == 1 && extents[0].devicePage % 512 == 0)
  }

  @Test func pagesLieWhereThePlacementSays() throws {
    let fs = try Self.fileSystem(pages: 8192)
    let file = try fs.create("a")
    file.setPlacement(Placement([.init(pages: 20..<21, residue: 148), .init(pages: 100..<700, residue: 7)]))
    _ = try Self.mapForStore(file, Self.page(20))
    try file.change(.allocate, Self.page(100, count: 600), keepSize: false)
    let extents = try file.extentReport()
    #expect(extents.map(\.page) == [20, 100])
    #expect(extents.map { $0.devicePage % 512 } == [148, 7])
  }

  @Test func whatWasCommittedIsThereAfterAPowerCut() throws {
    let fs = try Self.fileSystem()
    let file = try fs.create("d")
    try file.write(Array("hello".utf8), at: 8190)
    try file.fsync()
    try fs.makeDirectory("later")
    fs.abandon()
    #expect(FileSystemCheck.run(fs.device) == [])

    let again = try ExtentFileSystem.mount(fs.device)
    #expect(try again.list("/").map(\.name) == ["d"])
    #expect(try again.open("d").read(at: 8190, count: 100) == Array("hello".utf8))
  }

  @Test func blocksThatWereGivenUpComeBackWhenTheyAreNeeded() throws {
    let fs = try Self.fileSystem(pages: 512)
    let file = try fs.create("a")
    let room = fs.statistics.freeBlocks - 16
    for _ in 0..<20 {
      try file.change(.allocate, Self.page(0, count: room), keepSize: false)
      try file.resize(to: 0)
    }
    #expect(throws: KernelError.self) { try file.change(.allocate, Self.page(0, count: 4096), keepSize: false) }
    #expect(try file.extentReport() == [])
    try fs.unmount()
    #expect(FileSystemCheck.run(fs.device) == [])
  }
}
