import FaultlineFS
import Testing

@testable import Faultline

/// Folios of several pages: where they come from, and what becomes of them when a part must go.
@Suite struct SplitFolioTests {
  private func bench(_ traits: FileTraits, _ rules: KernelRules = .linux6_18, pages: UInt64) throws -> Bench {
    let bench = try Bench(filePages: 0, rules: rules, traits: traits, contents: .bytes)
    try bench.write(pages, at: 0)
    return bench
  }

  @Test func aWriteMakesFoliosAsLargeAsItFillsAndItsPlaceAllows() throws {
    let bench = try bench(.ext4(.linux6_18), pages: 7)
    #expect(bench.folios() == [[0, 4], [4, 2], [6, 1]])
    try bench.write(4, at: 7)
    #expect(bench.folios() == [[0, 4], [4, 2], [6, 1], [7, 1], [8, 2], [10, 1]])
  }

  @Test func xfsGivesAGrowingFileRoomInStepsAndWritesInPiecesOfThem() throws {
    let bench = try Bench(filePages: 0, traits: .xfs, contents: .bytes)
    for piece in 0..<4 as Range<UInt64> { try bench.write(64, at: piece * 64) }
    #expect(bench.folios() == [[0, 64], [64, 64], [128, 64], [192, 32], [224, 16], [240, 16]])
  }

  @Test func aHoleOfAHugeFileInMemoryIsFilledWhereTheAreaCouldMapIt() throws {
    for (place, order) in [(512, 512), (515, 1)] as [(UInt64, UInt64)] {
      let bench = try Bench(filePages: 1024, traits: .tmpfsHuge)
      try bench.map(pages: 1024, at: place, protection: [.read, .write])
      #expect(bench.read(place + 600) == nil)
      #expect(bench.folios() == [[order == 1 ? 600 : 512, order]])
    }
  }

  @Test func truncationLeavesLargePartsOfACleanFolio() throws {
    let bench = try bench(.ext4(.linux6_18), pages: 2048)
    try bench.node.writeBack()
    bench.node.truncate(to: 1900 << 12)
    #expect(
      bench.folios() == [
        [0, 512], [512, 512], [1024, 512], [1536, 256], [1792, 64], [1856, 32], [1888, 8], [1896, 4],
      ])
  }

  @Test func earlierKernelsLeaveSinglePages() throws {
    let bench = try bench(.xfs, .linux6_12, pages: 16)
    try bench.node.writeBack()
    bench.node.truncate(to: 13 << 12)
    #expect(bench.folios() == (0..<13).map { [$0, 1] })
  }

  @Test func aDirtyFolioOfAStoreStaysWholeAndShowsZeroes() throws {
    let bench = try bench(.ext4(.linux6_18), pages: 64)
    bench.node.punchHole(20 << 12..<30 << 12)
    #expect(bench.folios() == [[0, 64]])
    #expect(bench.byte(19) == 7 && bench.byte(20) == 0 && bench.byte(29) == 0 && bench.byte(30) == 7)
  }

  @Test func aDirtyFolioOfXFSIsSplitAsLongAsItsBlocksAreNotKeptApart() throws {
    let bench = try bench(.xfs, pages: 16)
    bench.node.truncate(to: 14 << 12)
    #expect(bench.folios() == [[0, 8], [8, 4], [12, 2]])
    try bench.node.writeBack()
    try bench.write(8, at: 0)
    bench.node.truncate(to: 6 << 12)
    #expect(bench.folios() == [[0, 8]])
  }

  @Test func aDirtyFolioOfWhichOnlyWhatLiesBehindTheEndIsLeftGoes() throws {
    let bench = try bench(.ext4(.linux6_18), pages: 4)
    bench.node.truncate(to: 3 << 12)
    #expect(bench.folios() == [[0, 4]])
    bench.node.punchHole(0..<3 << 12)
    #expect(bench.folios().isEmpty)
  }

  @Test func adviceLeavesAloneWhatItSeesInPartAndCannotSplit() throws {
    let bench = try bench(.ext4(.linux6_18), pages: 8)
    try bench.map(pages: 4, at: 512, protection: [.read, .write])
    #expect(bench.write(513) == nil)
    try bench.space.madvise(VirtualAddress(page: 512), length: 4 << 12, .pageOut, by: &bench.task)
    #expect(bench.presentPages(512..<516) == [1])
    try bench.node.writeBack()
    try bench.space.madvise(VirtualAddress(page: 512), length: 4 << 12, .pageOut, by: &bench.task)
    #expect(bench.presentPages(512..<516).isEmpty && bench.folios() == (0..<8).map { [$0, 1] })
  }

  @Test func writesFillHolesOfHugeFilesWithWhatFits() throws {
    let bench = try Bench(filePages: 1024, traits: .tmpfsHuge, contents: .bytes)
    try bench.map(pages: 1024, at: 515, protection: [.read, .write])
    #expect(bench.read(515 + 78) == nil)
    try bench.write(5, at: 61)
    #expect(bench.folios() == [[0, 64], [64, 8], [78, 1]])
  }

  @Test func whatIsBeingWrittenOutlivesDontNeed() throws {
    let bench = try bench(.ext4(.linux6_18), pages: 4)
    bench.file.advise(.dontNeed)
    #expect(bench.folios() == [[0, 4]])
    bench.file.advise(.dontNeed)
    #expect(bench.folios().isEmpty)
  }

  @Test func aDirtyFolioInMemoryIsSplitAtBothEndsOfAHole() throws {
    let bench = try bench(.tmpfsHuge, pages: 512)
    bench.node.punchHole(20 << 12..<29 << 12)
    #expect(
      bench.folios() == [
        [0, 16], [16, 4], [29, 1], [30, 2], [32, 32], [64, 64], [128, 128], [256, 256],
      ])
    #expect(bench.byte(19) == 7 && bench.byte(20) == nil && bench.byte(29) == 7)
  }

  @Test func partsBehindTheEndOfTheFileGo() throws {
    let bench = try bench(.tmpfsHuge, pages: 158)
    #expect(bench.folios() == [[0, 512]])
    bench.node.punchHole(121 << 12..<124 << 12)
    #expect(bench.folios().last == [128, 128])
  }

  @Test func aFolioThatSomebodyHoldsIsNotSplitAndKeepsItsEntries() throws {
    let bench = try bench(.ext4(.linux6_18), pages: 16)
    try bench.node.writeBack()
    try bench.map(pages: 16, at: 512)
    #expect(bench.read(512) == nil)
    let before = bench.presentPages(512..<528)
    guard let held = bench.node.lookUp(3) else { throw KernelError(.ENOENT, "no folio") }
    let folio = held.folio
    folio.get()
    folio.lock()
    #expect(!bench.node.split(folio, around: 3))
    #expect(folio.order == 4 && bench.presentPages(512..<528) == before)
    folio.put(to: bench.machine.memory)
    #expect(bench.node.split(folio, around: 3))
    #expect(bench.presentPages(512..<528).isEmpty)
    folio.unlock()
    #expect(bench.folios() == [[0, 2], [2, 1], [3, 1], [4, 4], [8, 8]])
  }

  @Test func everyBytesStaysWhereItWas() throws {
    let bench = try Bench(filePages: 0, traits: .tmpfsHuge, contents: .bytes)
    for page in 0..<512 as Range<UInt64> { try bench.write(1, at: page, value: UInt8(page & 0xff)) }
    guard let held = bench.node.lookUp(0) else { throw KernelError(.ENOENT, "no folio") }
    held.folio.lock()
    #expect(bench.node.split(held.folio, around: nil))
    held.folio.unlock()
    for page in 0..<512 as Range<UInt64> { #expect(bench.byte(page) == UInt8(page & 0xff)) }
    #expect(bench.node.cachedPages == 512 && bench.machine.lists.inactivePages == 0)
  }

  @Test func partsLieOnTheListOfTheOriginal() throws {
    let bench = try bench(.ext4(.linux6_18), pages: 64)
    try bench.node.writeBack()
    bench.node.truncate(to: 33 << 12)
    #expect(bench.machine.lists.inactivePages == 33)
    #expect(bench.machine.lists.audit(.inactive).count == 2)
  }

  @Test func fadviseLeavesAFolioThatLiesOnlyInPartInItsRange() throws {
    let bench = try bench(.ext4(.linux6_18), pages: 64)
    try bench.node.writeBack()
    bench.file.advise(offset: 0, length: 60 << 12, .dontNeed)
    #expect(bench.folios() == [[0, 64]])
    bench.file.advise(offset: 0, length: 64 << 12, .dontNeed)
    #expect(bench.folios().isEmpty)
  }

  @Test func reclaimTakesAFolioAsOne() throws {
    let bench = try bench(.ext4(.linux6_18), pages: 128)
    try bench.node.writeBack()
    bench.machine.cacheLimit = 100
    bench.machine.makeRoom(for: 1)
    #expect(bench.folios().isEmpty || bench.folios() == [[0, 128]])
    #expect(bench.node.cachedPages <= 100)
  }
}

extension Bench {
  fileprivate func write(_ pages: UInt64, at page: UInt64 = 0, value: UInt8 = 7) throws {
    let bytes = [UInt8](repeating: value, count: Int(pages << PageSize.shift))
    try bytes.withUnsafeBytes { try file.write(at: page << PageSize.shift, $0) }
  }

  /// First page and size of every folio, in order.
  fileprivate func folios() -> [[UInt64]] {
    var found: [[UInt64]] = []
    node.forEachFolio(in: 0..<1 << 20) { found.append([$0.index, $0.pageCount]) }
    return found
  }

  /// The first byte of a cached page.
  fileprivate func byte(_ page: UInt64) -> UInt8? {
    guard let reference = node.lookUp(page) else { return nil }
    return machine.memory.contents(of: reference.folio.frame(forPage: page))?.load(as: UInt8.self)
  }
}
