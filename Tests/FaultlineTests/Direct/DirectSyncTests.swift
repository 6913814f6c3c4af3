import FaultlineCheck
import FaultlineFS
import Testing

@testable import Faultline

/// Synchronous faults: nothing is entered that a crash would lose.
@Suite struct DirectSyncTests {
  private static let span = DirectStage.span

  @Test func aStoreToAHoleCommitsOnceForEachPage() throws {
    let stage = try DirectStage(pages: 64)
    try stage.mapSync()
    let before = stage.commitCount
    for page: UInt64 in 0..<32 { #expect(stage.faults { stage.store(page) } == [1, 0]) }
    #expect(stage.commitCount == before + 32)
    for page: UInt64 in 0..<32 {
      #expect(try stage.survives(page))
      #expect(stage.isMarkedDirty(page))
    }
    #expect(Invariants(machine: stage.machine).check().isEmpty)
  }

  @Test func withoutTheFlagNothingIsCommitted() throws {
    let stage = try DirectStage(pages: 64)
    try stage.map()
    let before = stage.commitCount
    for page: UInt64 in 0..<32 { stage.store(page) }
    #expect(stage.commitCount == before)
    #expect(try !stage.survives(3))
  }

  @Test func whatIsDurableAlreadyCommitsNothing() throws {
    let stage = try DirectStage(pages: 64)
    try stage.map()
    for page: UInt64 in 0..<32 { stage.store(page) }
    try stage.node.sync()
    try stage.mapSync(at: 1024)
    let before = stage.commitCount
    for page: UInt64 in 0..<32 { stage.store(1024 + page) }
    #expect(stage.commitCount == before)
  }

  @Test func aLoadNeverWaitsForACommit() throws {
    let stage = try DirectStage(pages: 64)
    try stage.map()
    stage.store(3, 4)
    try stage.mapSync(at: 1024)
    let before = stage.commitCount
    #expect(stage.load(1024 + 3) == .success(4))
    #expect(stage.load(1024 + 4) == .success(0))
    #expect(stage.commitCount == before)
    stage.store(1024 + 3, 5)
    #expect(stage.commitCount == before + 1)
  }

  @Test func theLastPartialPageAlwaysWaits() throws {
    let stage = try DirectStage(pages: 4)
    try stage.node.resize(to: 3 << 12 + 100)
    try stage.mapSync()
    stage.store(3)
    try stage.node.sync()
    let before = stage.events { stage.store(3) }
    #expect(before.contains { $0.fault?.result.contains(.needsDataSync) == true })
  }

  @Test func theEventsTellTheWait() throws {
    let stage = try DirectStage(pages: 4)
    try stage.mapSync()
    let first = stage.events { stage.store(0) }
    // Under the area's lock 2 MiB are tried too, and the page not at all.
    let tried: [EngineEvent.Kind] = [.directHugeFault, .directHugeFaultDone, .directHugeFault, .directHugeFaultDone]
    #expect(first.map(\.kind) == [.userFault] + tried + [.directPageFault, .directPageFaultDone, .directInsert])
    #expect(first[6].fault?.result == [.major, .needsDataSync])
    #expect(first[7].fault?.result == .noPage)
    let second = stage.events { stage.store(1) }
    #expect(
      second.map(\.kind) == [
        .userFault, .directPageFault, .directPageFaultDone, .directWriteback, .directWritebackDone, .directInsert,
      ])
    #expect(second[3].page == 1 && second[3].lastPage == 1)
  }

  @Test func a2MiBFaultCommitsOnceForAllOfThem() throws {
    let stage = try DirectStage()
    try stage.mapSync()
    let before = stage.commitCount
    stage.store(7)
    #expect(stage.entry(7).isHuge && stage.entry(7).isWritable)
    #expect(stage.commitCount == before + 1)
    for page: UInt64 in [0, 7, 511] { #expect(try stage.survives(page)) }
    #expect(Invariants(machine: stage.machine).check().isEmpty)
  }

  @Test func aCommitThatFailsEndsInASignalWithNothingEntered() throws {
    let stage = try DirectStage(pages: 4)
    try stage.mapSync()
    stage.commits.refuse()
    #expect(stage.store(2) == .bus(.adrErr))
    #expect(!stage.entry(2).isWritable)
    stage.commits.refuse(false)
    #expect(stage.store(2) == nil)
    #expect(Invariants(machine: stage.machine).check().isEmpty)
  }

  // MARK: Writeback

  /// A maps 2 MiB and stores, B stores through a page of its own; a sync must stop both.
  @Test func aSyncStopsEveryMappingOfAnEntry() throws {
    let stage = try DirectStage()
    try stage.map()
    stage.store(5)
    try stage.map(at: 4 * Self.span + 1, pages: 64)
    stage.store(4 * Self.span + 6)
    #expect(stage.entry(4 * Self.span + 6).isWritable)
    try stage.node.sync()
    #expect(!stage.entry(5).isWritable)
    #expect(!stage.entry(4 * Self.span + 6).isWritable)
    #expect(!stage.isMarkedDirty(5))
    stage.store(4 * Self.span + 6)
    #expect(stage.isMarkedDirty(5))
  }

  @Test func aSyncOfARangeLeavesTheRest() throws {
    let stage = try DirectStage(pages: 64)
    try stage.map()
    for page: UInt64 in 0..<8 { stage.store(page) }
    try stage.space.msync(VirtualAddress(page: stage.base + 2), length: 3 << 12, .sync)
    #expect((0..<8).map { stage.isMarkedDirty($0) } == [true, true, false, false, false, true, true, true])
  }

  @Test(arguments: KernelRules.all)
  func onlyOldKernelsFlushWhatWasLoaded(rules: KernelRules) throws {
    let stage = try DirectStage(rules, pages: 8)
    try stage.map()
    stage.store(1)
    try stage.node.sync()
    try stage.space.munmap(VirtualAddress(page: stage.base), length: 8 << 12)
    try stage.map()
    stage.load(1)
    stage.load(2)
    #expect(stage.isMarkedDirty(1) == rules.direct.tagsReads)
    #expect(stage.isMarkedDirty(2) == rules.direct.tagsReads)
  }

  // MARK: Taking blocks away

  @Test func truncationTakesEntriesAndBlocksAndAPrivateCopy() throws {
    let stage = try DirectStage(pages: 16)
    try stage.map()
    try stage.map(at: 64, .private)
    for page: UInt64 in 0..<16 { stage.store(page) }
    stage.store(64 + 12)
    try stage.node.resize(to: 4 << 12)
    #expect(stage.store(4) == .bus(.adrErr))
    #expect(stage.load(64 + 12) == .failure(.bus(.adrErr)))
    #expect(stage.load(3) == .success(1))
    #expect(try stage.allocated() == [0..<4])
    try stage.node.resize(to: 16 << 12)
    #expect(stage.load(12) == .success(0))
    #expect(Invariants(machine: stage.machine).check().isEmpty)
  }

  @Test func aHoleThatIsPunchedReadsAsZeroAndKeepsPrivateCopies() throws {
    let stage = try DirectStage(pages: 16)
    try stage.map()
    try stage.map(at: 64, .private)
    for page: UInt64 in 0..<16 { stage.store(page) }
    stage.store(64 + 6, 9)
    try stage.file.change(.punchHole, offset: 4 << 12, length: 4 << 12)
    #expect(stage.load(6) == .success(0))
    #expect(stage.load(64 + 6) == .success(9))
    #expect(stage.load(8) == .success(1))
    #expect(Invariants(machine: stage.machine).check().isEmpty)
  }

  @Test func aPageInUseRefusesToGo() throws {
    let stage = try DirectStage(pages: 16)
    try stage.map()
    stage.store(3)
    do {
      let page = VirtualAddress(page: stage.base + 3)
      let held = try stage.space.pin(page..<VirtualAddress(page: stage.base + 4), by: &stage.task)
      #expect(held.pageCount == 1)
      #expect(throws: KernelError.self) { try stage.node.resize(to: 0, busyPages: .refuse) }
      #expect(stage.node.size == 16 << 12)
    }
    try stage.node.resize(to: 0, busyPages: .refuse)
    #expect(try stage.allocated().isEmpty)
    #expect(Invariants(machine: stage.machine).check().isEmpty)
  }

  // MARK: Seeded bugs

  #if DEBUG || ModelCheck
    @Test(arguments: [SeededBug.entersBeforeSync, .entersWithoutSync])
    func aPageThatIsEnteredTooEarlyIsSeen(bug: SeededBug) throws {
      let stage = try DirectStage(pages: 4)
      try stage.mapSync()
      stage.machine.switches.bugs = [bug]
      stage.commits.refuse()
      stage.store(2)
      #expect(Invariants(machine: stage.machine).check().contains { $0.law == .syncMapping })
    }

    @Test func aMappingThatASyncForgetsIsSeen() throws {
      let stage = try DirectStage()
      try stage.map()
      try stage.map(at: 4 * Self.span)
      stage.store(5)
      stage.store(4 * Self.span + 5)
      stage.machine.switches.bugs = [.protectsOneMapping]
      try stage.node.sync()
      #expect(Invariants(machine: stage.machine).check().map(\.law) == [.notifiedBeforeWritable])
    }

    @Test func aSyncThatLeavesAPageOutIsSeen() throws {
      let stage = try DirectStage(pages: 8)
      try stage.map()
      stage.store(3)
      stage.machine.switches.bugs = [.syncsWrongRange]
      try stage.space.msync(VirtualAddress(page: stage.base + 3), length: 1 << 12, .sync)
      #expect(stage.isMarkedDirty(3))
    }
  #endif
}
