import Testing

@testable import Faultline

/// The windows that were measured on 6.18 (all pages cached, single-page folios): index in the page table of the area's
/// first page, length, touched page, pages mapped.
private let measuredWindows: [(index: UInt64, length: UInt64, touched: UInt64, mapped: ClosedRange<UInt64>)] = [
  (0, 64, 17, 16...31), (5, 64, 0, 0...15), (5, 64, 10, 0...15), (5, 64, 11, 11...26), (500, 64, 3, 0...11),
  (500, 64, 12, 12...27), (510, 64, 5, 2...17), (0, 20, 19, 16...19),
]

@Suite struct AroundTests {
  @Test(arguments: measuredWindows)
  func windowFollowsTheVirtualAddress(
    _ window: (index: UInt64, length: UInt64, touched: UInt64, mapped: ClosedRange<UInt64>)
  ) throws {
    let bench = try Bench(filePages: 1024, resident: true)
    let start = 512 * 8 + window.index
    try bench.map(pages: window.length, at: start)
    #expect(bench.read(start + window.touched) == nil)
    #expect(bench.presentPages(start..<start + window.length) == window.mapped.map { $0 })
    #expect(bench.minor == 1)
    #expect(bench.major == 0)
  }

  @Test func windowStopsAtTheEndOfTheFile() throws {
    let bench = try Bench(filePages: 2041, resident: true)
    let start: UInt64 = 1 << 20
    try bench.map(pages: 2100, at: start)
    #expect(bench.read(start + 2035) == nil)
    #expect(bench.presentPages(start..<start + 2100) == Array(2032...2040))
  }

  @Test func aLoadBeyondTheEndMapsTheNeighboursBelowItAndFails() throws {
    let bench = try Bench(filePages: 20, resident: true)
    try bench.map(pages: 64, at: 4096)
    #expect(bench.read(4096 + 17) == nil)
    #expect(bench.read(4096 + 40) == .bus(.adrErr))
    #expect(bench.minor == 1, "a fault that ends in a signal is not counted")
    #expect(bench.presentPages(4096..<4160) == Array(16...19))
  }

  @Test func theLastPageOfTheFileAloneInstallsNoTableInTheKernelsWay() throws {
    let bench = try Bench(filePages: 17, resident: true)
    try bench.map(pages: 17, at: 4096)
    #expect(bench.read(4096 + 16) == nil)
    #expect(bench.presentPages(4096..<4113) == [16])
  }

  @Test func absentMarkedAndEnteredPagesAreSkipped() throws {
    let bench = try Bench(filePages: 64, resident: true)
    bench.node.dropClean(4..<6)
    bench.mark(9, .readahead)
    try bench.map(pages: 64, at: 4096)
    #expect(bench.read(4096) == nil)
    #expect(bench.presentPages(4096..<4112) == [0, 1, 2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 15])
    #expect(bench.read(4096 + 9) == nil)
    #expect(bench.minor == 2)
  }

  @Test func storesMapOnePage() throws {
    let bench = try Bench(filePages: 64, resident: true)
    try bench.map(pages: 64, at: 4096, protection: [.read, .write], flags: .private)
    #expect(bench.write(4096 + 20) == nil)
    #expect(bench.presentPages(4096..<4160) == [20])
    #expect(bench.space.mappedPrivatePages == 1)
    #expect(bench.space.mappedFilePages == 0)
  }

  @Test(arguments: [0, 1, 2, 3, 4, 5, 7, 9])
  func sequentialFaultsAreTheFilesPagesDividedByTheWindow(order: UInt64) throws {
    var rules = KernelRules.linux6_18
    rules.faultAroundBytes = PageSize.bytes << order
    let bench = try Bench(filePages: 1101, resident: true, rules: rules)
    try bench.map(pages: 1100, at: 4096)
    for page in 0..<1100 as Range<UInt64> { #expect(bench.read(4096 + page) == nil) }
    #expect(bench.minor == (1100 + (1 << order) - 1) >> order)
  }
}
