import FaultlineFS
import Testing

@testable import Faultline

/// A thread's counts tell how its faults on files with DAX went.
@Suite struct DirectCountTests {
  private static let span = DirectStage.span

  @Test func eachReasonForSinglePagesIsCountedForItself() throws {
    let stage = try DirectStage(pages: 3 * Self.span + 8)
    try stage.map()
    stage.store(0)
    #expect(stage.task.directFaults.huge == 1 && stage.task.directFaults.fallbacks.total == 0)
    stage.store(3 * Self.span)
    #expect(stage.task.directFaults.fallbacks.endOfFile > 0 || stage.task.directFaults.fallbacks.endOfArea > 0)
    try stage.map(at: 8 * Self.span + 1, pages: 2 * Self.span)
    stage.store(9 * Self.span + 6)
    #expect(stage.task.directFaults.fallbacks.misaligned > 0)
    try stage.map(at: 16 * Self.span, pages: Self.span, .private)
    stage.store(16 * Self.span)
    #expect(stage.task.directFaults.fallbacks.privateStore > 0)
    try stage.map(at: 24 * Self.span, pages: Self.span, filePage: Self.span)
    stage.store(24 * Self.span + 3)
    #expect(stage.task.directFaults.fallbacks.smallerEntry > 0)
    #expect(stage.task.directFaults.pages >= 4)
    #expect(stage.task.directFaults.needsDataSync == 0)
  }

  @Test func blocksThatAreNotAlignedAreCounted() throws {
    let stage = try DirectStage(residue: 1)
    try stage.map()
    stage.store(0)
    #expect(stage.task.directFaults.fallbacks.blocks > 0)
    #expect(stage.task.directFaults.pages == 1)
  }

  @Test func aStoreThatWaitedAndOneWhoseCommitFailedAreToldApart() throws {
    let stage = try DirectStage(pages: 4)
    try stage.mapSync()
    stage.store(0)
    stage.commits.refuse()
    stage.store(1)
    #expect(stage.task.directFaults.needsDataSync == 2)
    #expect(stage.task.directFaults.syncs == 1)
  }
}
