import Faultline
import FaultlineFS
import Testing

/// What a file says of its durable metadata is what a mount after a crash finds.
@Suite struct DurableMapTests {
  private static func page(_ index: UInt64, _ count: UInt64) -> Range<UInt64> {
    MappedFileTests.page(index, count: count)
  }

  @Test(arguments: MetadataMode.allCases)
  func aPageIsDurableFromItsCommitOn(mode: MetadataMode) throws {
    let fs = try MappedFileTests.fileSystem(mode: mode)
    let file = try fs.create("a")
    try file.resize(to: 1 << 20)
    try fs.sync()
    let first = try MappedFileTests.mapForStore(file, Self.page(3, 1))
    #expect(file.isDurable(first.range, at: first.address) == false)
    try file.commit(dataOnly: true)
    #expect(file.isDurable(first.range, at: first.address) == true)
    #expect(file.isDurable(first.range, at: first.address + PageSize.bytes) == false)
    #expect(file.isDurable(Self.page(4, 1), at: first.address + PageSize.bytes) == false)

    // A later change of another page takes nothing away, and a crash finds the first.
    let second = try MappedFileTests.mapForStore(file, Self.page(9, 1))
    #expect(file.isDurable(first.range, at: first.address) == true)
    #expect(file.isDurable(second.range, at: second.address) == false)
    fs.abandon()
    let found = try ExtentFileSystem.mount(fs.device).open("a")
    #expect(found.isDurable(first.range, at: first.address) == true)
    #expect(found.isDurable(second.range, at: second.address) == false)
  }

  @Test func aHoleIsDurableOnlyWithItsCommitToo() throws {
    let fs = try MappedFileTests.fileSystem()
    let file = try fs.create("a")
    try file.write([UInt8](repeating: 1, count: 3 << 12), at: 0)
    try file.fsync()
    let place = try file.map(Self.page(1, 1), for: []).address
    try file.change(.punchHole, Self.page(1, 1), keepSize: true)
    #expect(file.isDurable(Self.page(1, 1), at: place) == true)
    try file.fsync()
    #expect(file.isDurable(Self.page(1, 1), at: place) == false)
  }

  /// As a recording has them: whatever the order in which a program comes to its pages, they lie side by side.
  @Test func pagesWithAPlacementKeepTheirDistances() throws {
    let fs = try MappedFileTests.fileSystem(pages: 8192)
    let files = try ["a", "b"].map(fs.create)
    for file in files {
      file.setPlacement(Placement([.init(pages: 4..<1 << 20, residue: 11), .init(pages: 0..<4, residue: 7)]))
      try file.resize(to: 64 << 12)
    }
    for page in [20, 7, 63, 0, 8, 6, 19, 5] as [UInt64] {
      for file in files { _ = try MappedFileTests.mapForStore(file, Self.page(page, 1)) }
    }
    for file in files {
      let extents = try file.extentReport()
      #expect(extents.map { [$0.page, $0.count] } == [[0, 1], [5, 4], [19, 2], [63, 1]])
      #expect(extents.allSatisfy { $0.devicePage % 512 == 7 + $0.page })
      #expect(Set(extents.map { $0.devicePage - $0.page }).count == 1)
    }
  }
}
