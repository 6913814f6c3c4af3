import Testing

@testable import Faultline

/// Cold faults as 6.18 made them with single-page folios and a window of 32 pages.
@Suite struct ReadaheadTests {
  @Test func aMissReadsAroundIt() throws {
    let bench = try Bench(filePages: 256)
    try bench.map(pages: 256, at: 4096)
    #expect(bench.read(4096 + 100) == nil)
    #expect(bench.cachedPages() == Array(84...115))
    #expect(bench.major == 1)
    #expect(bench.minor == 0)
    #expect(bench.node.readRequests == 1)
  }

  @Test func touchingTheMarkerReadsTheNextWindow() throws {
    let bench = try Bench(filePages: 256)
    try bench.map(pages: 256, at: 4096)
    #expect(bench.read(4096) == nil)
    #expect(bench.cachedPages() == Array(0...31))
    #expect(bench.read(4096 + 24) == nil)
    #expect(bench.cachedPages() == Array(0...63))
    #expect(bench.major == 1)
    #expect(bench.minor == 1)
  }

  @Test func aSequentialScanFaultsTwicePerWindow() throws {
    let bench = try Bench(filePages: 512)
    try bench.map(pages: 512, at: 4096)
    var faults: [UInt64] = []
    for page in 0..<100 as Range<UInt64> {
      let before = bench.minor + bench.major
      #expect(bench.read(4096 + page) == nil)
      if bench.minor + bench.major != before { faults.append(page) }
    }
    #expect(faults == [0, 16, 24, 32, 48, 64, 80, 96])
    #expect(bench.major == 1)
  }

  @Test func withoutTheVMALockAMarkerFaultIsMajor() throws {
    let bench = try Bench(filePages: 256, rules: .linux6_1)
    try bench.map(pages: 256, at: 4096)
    #expect(bench.read(4096) == nil)
    #expect(bench.read(4096 + 24) == nil)
    #expect(bench.major == 2)
  }

  @Test func randomAdviceReadsPagesAlone() throws {
    let bench = try Bench(filePages: 256)
    try bench.map(pages: 256, at: 4096)
    try bench.space.madvise(VirtualAddress(page: 4096), length: 256 * 4096, .random, by: &bench.task)
    for page: UInt64 in [5, 6, 7, 40, 41, 100, 0, 127] { #expect(bench.read(4096 + page) == nil) }
    #expect(bench.cachedPages() == [0, 5, 6, 7, 40, 41, 100, 127])
    #expect(bench.major == 8)
  }

  @Test func sequentialAdviceFromTheMiddleIsMajorEveryWindow() throws {
    let bench = try Bench(filePages: 1024)
    try bench.map(pages: 1024, at: 4096)
    try bench.space.madvise(VirtualAddress(page: 4096), length: 1024 * 4096, .sequential, by: &bench.task)
    for page in 500..<596 as Range<UInt64> { #expect(bench.read(4096 + page) == nil) }
    #expect(bench.major == 3)
    #expect(bench.cachedPages() == Array(500...595))
  }

  @Test func stridedLoadsNeverStopReadingAroundButStridedStoresDo() throws {
    let loads = try Bench(filePages: 150 * 64)
    try loads.map(pages: 150 * 64, at: 4096)
    for step in 0..<150 as Range<UInt64> { #expect(loads.read(4096 + step * 64 + 32) == nil) }
    #expect(loads.node.cachedPages == 150 * 32)

    let stores = try Bench(filePages: 150 * 64)
    try stores.map(pages: 150 * 64, at: 4096, protection: [.read, .write])
    for step in 0..<150 as Range<UInt64> { #expect(stores.write(4096 + step * 64 + 32) == nil) }
    #expect(stores.node.cachedPages == 3250)
  }

  @Test func populatingAColdMappingCountsNoMajorFault() throws {
    let bench = try Bench(filePages: 100)
    try bench.map(pages: 100, at: 4096, flags: [.shared, .populate])
    #expect(bench.major == 0)
    #expect(bench.presentPages(4096..<4196).count == 100)
  }

  @Test func willNeedIsBoundedByTheDevice() throws {
    let bench = try Bench(filePages: 1024)
    try bench.map(pages: 1024, at: 4096)
    try bench.space.madvise(VirtualAddress(page: 4096), length: 1024 * 4096, .willNeed, by: &bench.task)
    #expect(bench.node.cachedPages == 320)
  }

  /// Linux 6.18.44, ext4 behind a loop device with 128 KiB readahead: a major fault every 96 pages of either stream.
  @Test func twoStreamsThroughOneDescriptorLoseTheirWindowsBehindLargeFolios() throws {
    let half: UInt64 = 32768
    let bench = try Bench(filePages: 2 * half, traits: .ext4(.linux6_18))
    try bench.map(pages: 2 * half, at: 4096)
    for page in 0..<half {
      #expect(bench.read(4096 + page) == nil)
      #expect(bench.read(4096 + half + page) == nil)
    }
    #expect(bench.major == 683)
    #expect(bench.node.cachedPages == 2 * half)
  }
}
