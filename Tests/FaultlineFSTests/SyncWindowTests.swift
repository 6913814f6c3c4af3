import Faultline
import FaultlineFS
import Foundation
import Testing

/// Synchronous stores that prepare the pages around theirs.
@Suite struct SyncWindowTests {
  private static func stage(
    pages: UInt64 = 512, mapped: Range<UInt64>? = nil, window: UInt64 = 16, mode: MetadataMode = .orderedJournal,
    devicePages: UInt64 = 4096
  ) throws -> SyncWindowStage {
    try SyncWindowStage(pages: pages, mapped: mapped, window: window, mode: mode, devicePages: devicePages)
  }

  @Test(arguments: MetadataMode.allCases)
  func aWindowOfSixteenTakesACommitForSixteenPages(mode: MetadataMode) throws {
    for (window, commits) in [(1, 512), (16, 32), (64, 8), (0, 512), (17, 32), (.max, 1)] as [(UInt64, UInt64)] {
      let stage = try Self.stage(window: window, mode: mode)
      for page in 0..<512 as Range<UInt64> { try stage.store(page) }
      #expect(stage.commits == commits, "a window of \(window) pages")
    }
  }

  @Test func everyPageIsDurableWhenItIsWritable() throws {
    let stage = try Self.stage(pages: 64)
    for page in [40, 41, 33, 0, 63] as [UInt64] { try stage.store(page) }
    stage.fs.abandon()
    let again = try ExtentFileSystem.mount(stage.fs.device)
    let extents = try again.open("a").extentReport()
    for page in [40, 41, 33, 0, 63] as [UInt64] {
      #expect(extents.contains { ($0.page..<$0.page + $0.count).contains(page) && $0.isWritten })
    }
    #expect(FileSystemCheck.run(stage.fs.device) == [])
  }

  @Test func theWindowStaysWithinTheAreaTheFileAndTheHole() throws {
    let stage = try Self.stage(pages: 24, mapped: 2..<24)
    try stage.file.write([1], at: 5 << 12)
    try stage.store(7)
    #expect(try stage.pagesWithBlocks == Array(5..<18))
    try stage.store(3)
    #expect(try stage.pagesWithBlocks == Array(2..<18))
    try stage.store(20)
    #expect(try stage.pagesWithBlocks == Array(2..<24))
  }

  @Test func unwrittenBlocksOfTheWindowBecomeWrittenWithOneCommitAndStay() throws {
    let stage = try Self.stage(pages: 64, mode: .pinnedLog)
    try stage.file.change(.allocate, 0..<64 << 12, keepSize: false)
    try stage.file.fsync()
    let commits = stage.commits
    for page in 0..<16 as Range<UInt64> { try stage.store(page) }
    #expect(stage.commits == commits + 1)
    stage.close()
    #expect(try stage.pagesWithBlocks == Array(0..<64))
  }

  @Test(arguments: MetadataMode.allCases)
  func whatNobodyStoredToIsGivenBackAtTheClose(mode: MetadataMode) throws {
    let stage = try Self.stage(pages: 64, mode: mode)
    let free = stage.fs.statistics.freeBlocks
    for page in [9, 10, 63] as [UInt64] { try stage.store(page) }
    #expect(try stage.pagesWithBlocks == Array(0..<16) + Array(48..<64))
    stage.close()
    #expect(try stage.pagesWithBlocks == [9, 10, 63])
    #expect(stage.fs.statistics.freeBlocks == free - 3)
    try stage.fs.unmount()
    #expect(FileSystemCheck.run(stage.fs.device) == [])
  }

  @Test func whatAProgramAskedForStaysItsOwn() throws {
    let stage = try Self.stage(pages: 16)
    try stage.store(0)
    try stage.file.change(.allocate, 4 << 12..<6 << 12, keepSize: true)
    try stage.file.write([7], at: 9 << 12)
    stage.close()
    #expect(try stage.pagesWithBlocks == [0, 4, 5, 9])
  }

  @Test func anUnmountGivesBackWhatAnOpenFileHas() throws {
    let stage = try Self.stage(pages: 16)
    try stage.store(0)
    try stage.fs.unmount()
    #expect(FileSystemCheck.run(stage.fs.device) == [])
    let again = try ExtentFileSystem.mount(stage.fs.device)
    #expect(try again.open("a").extentReport().map(\.count) == [1])
  }

  @Test func readersSeeAHoleUntilSomebodyStores() throws {
    let stage = try Self.stage(pages: 16)
    #expect(try stage.load(3) == 0)
    try stage.store(0)
    #expect(try stage.file.map(0..<16 << 12, for: .fault).range == 0..<1 << 12)
    #expect(try stage.file.map(3 << 12..<16 << 12, for: .fault).kind == .hole)
    try stage.write(77, toPage: 3)
    #expect(try stage.load(3) == 77)
    try stage.store(4)
    #expect(try stage.load(4) == 5)
  }

  @Test func aFullDiskGetsBackWhatWasPrepared() throws {
    let stage = try Self.stage(pages: 256, devicePages: 512)
    let filler = try stage.fs.create("f")
    try filler.change(.allocate, 0..<(stage.fs.statistics.freeBlocks - 40) << 12, keepSize: false)
    try stage.store(0)
    try filler.change(.allocate, 1 << 30..<1 << 30 + 28 << 12, keepSize: false)
    #expect(try stage.pagesWithBlocks == [0])
    #expect(FileSystemCheck.run(stage.fs.device) == [])
  }

  @Test func twoThreadsOnOneFileTakeFewerCommitsThanTheyFault() throws {
    let stage = try Self.stage()
    let failures = FailureCount()
    DispatchQueue.concurrentPerform(iterations: 2) { thread in
      failures.catching {
        for page in 0..<256 as Range<UInt64> { try stage.store(page * 2 + UInt64(thread)) }
      }
    }
    #expect(failures.first == nil)
    #expect(stage.commits <= 64)
    for page in 0..<512 as Range<UInt64> { #expect(try stage.load(page) == page + 1) }
  }
}
