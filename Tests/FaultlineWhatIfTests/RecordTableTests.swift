import Testing

@testable import FaultlineWhatIf

@Suite struct RecordTableTests {
  private func mapping(_ pages: Range<UInt64>, file: Int = 0, from filePage: UInt64 = 0) -> FileMapping {
    FileMapping(pages: pages, file: file, filePage: filePage, protection: .read, isShared: true, isText: false)
  }

  @Test func touchedPagesAreASet() {
    var pages = TouchedPages()
    var fresh = 0
    for page in stride(from: 0 as UInt64, to: 200_000, by: 3) where pages.insert(page) { fresh += 1 }
    #expect(fresh == 66_667)
    let (again, held, absent) = (pages.insert(3), pages.contains(99_999), pages.contains(100_000))
    #expect(!again && held && !absent)
    let counts = [pages.count(0..<200_000), pages.count(1..<64), pages.count(64..<65)]
    #expect(counts == [66_667, 21, 0])
    pages.remove(30_000..<60_000)
    let (rest, below, above) = (pages.count(0..<200_000), pages.contains(29_997), pages.contains(60_000))
    #expect(rest == 56_667 && below && above)
  }

  @Test func movedPagesKeepTheirOrder() {
    var pages = TouchedPages()
    for page in [100, 101, 163, 40_000] as [UInt64] { _ = pages.insert(page) }
    let base = (1 as UInt64) << 30
    pages.move(100..<50_000, to: base)
    let moved = ([0, 1, 63, 39_900] as [UInt64]).map { pages.contains(base + $0) }
    let counts = [pages.count(0..<50_000), pages.count(base..<(base + 50_000))]
    #expect(moved == [true, true, true, true] && counts == [0, 4])
  }

  @Test func aMappingReplacesWhatItCovers() {
    var table = FileMappings()
    table.insert(mapping(0..<100))
    table.insert(mapping(40..<50, file: 1, from: 7))
    #expect(table.all.map(\.pages) == [0..<40, 40..<50, 50..<100])
    #expect(table.all.map(\.filePage) == [0, 7, 50])
    #expect(table.find(45)?.file == 1 && table.find(50)?.file == 0 && table.find(100) == nil)
    table.remove(30..<60)
    #expect(table.all.map(\.pages) == [0..<30, 60..<100] && table.all[1].filePage == 60)
    #expect(!table.overlaps(30..<60) && table.overlaps(59..<61))
    table.protect(20..<70, .write)
    #expect(table.all.map(\.pages) == [0..<20, 20..<30, 60..<70, 70..<100])
    #expect(table.overlapping(25..<65).map(\.pages) == [25..<30, 60..<65])
  }

  @Test func aForkedCopyIsNotWatched() {
    var table = FileMappings()
    table.insert(mapping(0..<10))
    table.setWatched(0..<10)
    #expect(table.all[0].isWatched && !table.copiedForChild().all[0].isWatched)
  }

  @Test(
    arguments: [
      ([0x88, 0x07], true), ([0x8A, 0x07], false), ([0x48, 0x89, 0x07], true), ([0x48, 0x8B, 0x07], false),
      ([0xC6, 0x07, 0x01], true), ([0x48, 0x83, 0x07, 0x01], true), ([0x48, 0x83, 0x3F, 0x01], false),
      ([0x48, 0x39, 0x07], false), ([0xF3, 0xA4], true), ([0xF3, 0x48, 0xAB], true), ([0xF0, 0x0F, 0xB1, 0x0F], true),
      ([0x0F, 0xB6, 0x07], false), ([0x0F, 0x11, 0x07], true), ([0x0F, 0x10, 0x07], false),
      ([0xC5, 0xFE, 0x7F, 0x07], true), ([0xC5, 0xFE, 0x6F, 0x07], false),
      ([0x62, 0xF1, 0x7F, 0x48, 0x7F, 0x07], true),
      ([0x62, 0xF1, 0x7F, 0x48, 0x6F, 0x07], false), ([0xFF, 0x07], true), ([0xFF, 0x17], false), ([0xF7, 0x1F], true),
      ([0xF7, 0x27], false), ([0x48, 0x0F, 0xC3, 0x07], true), ([0xC4, 0xE2, 0x7D, 0x18, 0x07], false),
    ] as [([UInt8], Bool)])
  func storesAreToldFromLoads(instruction: [UInt8], stores: Bool) {
    #expect(instruction.withUnsafeBytes { storesToMemory($0) } == stores)
  }

  @Test func residencyIsComparedPageByPage() {
    let before = [TraceRun(page: 0, pages: 4), TraceRun(page: 10, pages: 10)]
    let after = [TraceRun(page: 2, pages: 10), TraceRun(page: 15, pages: 1), TraceRun(page: 19, pages: 5)]
    #expect(Residency.common(before, after) == 2 + 2 + 1 + 1)
    #expect(Residency.common(after, before) == 6 && Residency.count(after) == 16)
  }
}
