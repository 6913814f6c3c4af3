import Testing

@testable import Faultline

/// Taking hold of pages: one step a folio, exact counts, nothing left behind.
@Suite struct PinTests {
  private static let span = PageSize.entriesPerTable

  @Test(arguments: [HoldKind.reference, .pin])
  func everyPartOfAHugeEntryIsHeldByOneStepAndByTheRightPages(kind: HoldKind) throws {
    let stage = try PinStage()
    try stage.mapPrivate(pages: 2 * Self.span, huge: true)
    stage.store(0)
    stage.store(Self.span)
    let before = [0, Self.span].map { stage.folio($0).references }
    // In the middle of an entry, over its end, over both: what the seed's arithmetic got wrong twice and so right.
    for (first, count): (UInt64, UInt64) in [
      (0, 1), (0, 512), (1, 1), (17, 100), (511, 1), (511, 2), (300, 512), (0, 1024), (1, 1022),
    ] {
      var held = PinnedPages(kind, of: stage.machine)
      let got = try stage.space.holdNow(stage.range(first..<first + count), .write, into: &held, by: &stage.task)
      #expect(got == count)
      var page = first
      held.forEachPage { frame in
        #expect(frame == stage.frame(page))
        page += 1
      }
      #expect(page == first + count)
      let inFirst = max(first, min(first + count, Self.span)) - first
      #expect(stage.folio(0).references == before[0] + inFirst)
      #expect(stage.folio(Self.span).references == before[1] + count - inFirst)
      #expect(stage.folio(0).mayBePinned == (kind == .pin && inFirst > 0))
      held.unpin()
    }
    #expect([0, Self.span].map { stage.folio($0).references } == before)
    #expect(!stage.folio(0).mayBePinned)
  }

  @Test(arguments: [HoldKind.reference, .pin])
  func aStepForEachPageComesToTheSameAsOneForTheFolio(kind: HoldKind) throws {
    let stage = try PinStage()
    try stage.mapPrivate(pages: 2 * Self.span, huge: true)
    stage.store(0)
    stage.store(Self.span)
    for (first, count): (UInt64, UInt64) in [(0, 1), (17, 100), (511, 2), (0, 1024)] {
      let pages = stage.range(first..<first + count)
      let base = stage.folio(0).references
      var each = PinnedPages(kind, of: stage.machine)
      #expect(stage.space.holdEachPage(pages, .write, into: &each, by: &stage.task) == count)
      let references = stage.folio(0).references
      var whole = PinnedPages(kind, of: stage.machine)
      #expect(try stage.space.holdNow(pages, .write, into: &whole, by: &stage.task) == count)
      #expect(stage.folio(0).references - references == references - base)
      var frames: [FrameNumber] = []
      each.forEachPage { frames.append($0) }
      var others: [FrameNumber] = []
      whole.forEachPage { others.append($0) }
      #expect(frames == others)
      each.unpin()
      whole.unpin()
    }
    // The second entry is read-only now: what was taken of it is given back, and the first stays.
    var held = PinnedPages(kind, of: stage.machine)
    try stage.space.mprotect(
      VirtualAddress(page: stage.base + Self.span), length: Self.span << 12, [.read], by: &stage.task)
    let before = stage.folio(Self.span).references
    #expect(stage.space.holdEachPage(stage.range(10..<600), .write, into: &held, by: &stage.task) == 502)
    #expect(stage.folio(Self.span).references == before)
  }

  #if DEBUG || ModelCheck
    @Test func aShiftTakenForASizeShowsAnotherPage() throws {
      let stage = try PinStage()
      try stage.mapPrivate(pages: Self.span, huge: true)
      stage.store(0)
      stage.machine.switches.bugs = [.takesShiftForSize]
      var held = PinnedPages(.reference, of: stage.machine)
      #expect(try stage.space.holdNow(stage.range(3..<4), .write, into: &held, by: &stage.task) == 1)
      var frames: [FrameNumber] = []
      held.forEachPage { frames.append($0) }
      #expect(frames != [stage.frame(3)])
    }
  #endif

  @Test func headsOnlySayTheSamePagesInFewWords() throws {
    let stage = try PinStage()
    try stage.mapPrivate(pages: 3 * Self.span, huge: true)
    for page in [0, Self.span, 2 * Self.span] { stage.store(page) }
    var (frames, expanded, runs): ([FrameNumber], [FrameNumber], [PinnedPages.Run]) = ([], [], [])
    let range = stage.range(100..<1100)
    let pages = try stage.space.pin(range, .write, by: &stage.task)
    pages.forEachPage { frames.append($0) }
    let heads = try stage.space.pin(range, .write, form: .runs, by: &stage.task)
    heads.forEachRun { runs.append($0) }
    heads.forEachPage { expanded.append($0) }
    #expect(frames == expanded && frames.count == 1000)
    #expect(runs.map(\.pageCount) == [412, 512, 76] && runs.map(\.offset) == [100, 0, 0])
    heads.unpin()
    pages.unpin()
    #expect(stage.folio(0).references == 1)
  }

  @Test func aSmallPageCountsAPinAsManyReferences() throws {
    let stage = try PinStage()
    try stage.mapPrivate(pages: 4)
    for page: UInt64 in 0..<4 { stage.store(page) }
    let held = try stage.space.pin(stage.range(0..<4), .write, by: &stage.task)
    #expect(stage.folio(2).references == 1 + Folio.pinBias)
    held.unpin()
    // 1023 references are no pin, 1024 cannot be told from one.
    stage.folio(1).get(Folio.pinBias - 2)
    #expect(!stage.folio(1).mayBePinned)
    stage.folio(1).get()
    #expect(stage.folio(1).mayBePinned)
    stage.folio(1).put(Folio.pinBias - 1, to: stage.machine.memory)
  }

  @Test func aFolioThatIsHeldTooOftenGivesNoMore() throws {
    let stage = try PinStage()
    try stage.mapPrivate(pages: 1)
    stage.store(0)
    let many: UInt64 = 1 << 31 - 2
    stage.folio(0).get(many)
    var held = PinnedPages(.pin, of: stage.machine)
    #expect(try stage.space.holdNow(stage.range(0..<1), .write, into: &held, by: &stage.task) == 0)
    stage.folio(0).put(many, to: stage.machine.memory)
    #expect(stage.folio(0).references == 1)
  }

  @Test func whatIsMissingIsFaultedInAndOnlyAFirstPageThatCannotBeHadIsAnError() throws {
    let stage = try PinStage()
    try stage.mapPrivate(pages: 8)
    try stage.space.munmap(VirtualAddress(page: stage.base + 5), length: 1 << 12)
    let held = try stage.space.pin(stage.range(0..<8), .write, by: &stage.task)
    #expect(held.pageCount == 5 && stage.task.minorFaults == 5)
    held.unpin()
    #expect(throws: KernelError.self) { _ = try stage.space.pin(stage.range(5..<8), by: &stage.task).pageCount }
    var none = PinnedPages(.pin, of: stage.machine)
    #expect(try stage.space.holdNow(stage.range(6..<7), into: &none, by: &stage.task) == 0)
    #expect(throws: KernelError.self) {
      try stage.space.hold(stage.range(6..<7), .noFault, into: &none, by: &stage.task)
    }
  }

  @Test func thePageOfZeroesIsRecordedAndNotCounted() throws {
    let stage = try PinStage()
    try stage.mapPrivate(pages: 2)
    let zero = Folio(of: stage.machine.memory.frame(stage.machine.zeroFrame)).references
    let held = try stage.space.pin(stage.range(0..<2), by: &stage.task)
    var frames: [FrameNumber] = []
    held.forEachPage { frames.append($0) }
    #expect(frames == [stage.machine.zeroFrame, stage.machine.zeroFrame])
    #expect(Folio(of: stage.machine.memory.frame(stage.machine.zeroFrame)).references == zero)
    held.unpin(markingDirty: true)
    #expect(Folio(of: stage.machine.memory.frame(stage.machine.zeroFrame)).references == zero)
  }

  @Test func unpinningSaysThatSomebodyHasStored() throws {
    let stage = try PinStage()
    let node = try stage.mapFile(pages: 4)
    let held = try stage.space.pin(stage.range(0..<4), by: &stage.task)
    let folio = try #require(XArray.folio(node.slots.load(2)))
    let wasDirty = folio.contains(.dirty)
    held.unpin(markingDirty: true)
    #expect(!wasDirty && folio.contains(.dirty))
  }

  // MARK: Fork

  @Test(arguments: [false, true])
  func aPinnedPageStaysTheParentsAndTheChildGetsACopy(huge: Bool) throws {
    let stage = try PinStage()
    try stage.mapPrivate(pages: Self.span, huge: huge)
    for page: UInt64 in 0..<4 { stage.store(page) }
    let pinned = stage.frame(1)
    let held = try stage.space.pin(stage.range(1..<2), .write, by: &stage.task)
    let child = try stage.space.fork()
    #expect(stage.frame(1) == pinned && child.entry(ofPage: stage.base + 1).frame != pinned)
    // A device's store is the parent's alone; the parent's next store goes to the same page.
    let bytes = try #require(stage.machine.memory.contents(of: stage.machine.memory.frame(pinned)))
    bytes.storeBytes(of: 77, as: UInt8.self)
    let faults = stage.task.minorFaults
    stage.store(1)
    #expect(stage.frame(1) == pinned && stage.task.minorFaults == faults)
    let childs = try #require(
      stage.machine.memory.contents(of: stage.machine.memory.frame(child.entry(ofPage: stage.base + 1).frame)))
    #expect(childs.load(as: UInt8.self) == 0)
    held.unpin()
  }

  @Test func nothingIsPinnedWithoutALockWhileAForkCopies() throws {
    let stage = try PinStage()
    try stage.mapPrivate(pages: 2)
    stage.store(0)
    stage.space.copySequence.wrappingAdd(1, ordering: .relaxed)
    var pins = PinnedPages(.pin, of: stage.machine)
    var references = PinnedPages(.reference, of: stage.machine)
    #expect(try stage.space.holdNow(stage.range(0..<1), .write, into: &pins, by: &stage.task) == 0)
    #expect(try stage.space.holdNow(stage.range(0..<1), .write, into: &references, by: &stage.task) == 1)
    stage.space.copySequence.wrappingAdd(1, ordering: .relaxed)
  }

  @Test func aPinForReadingOfASharedPageIsOfTheProgramsOwn() throws {
    let stage = try PinStage()
    try stage.mapPrivate(pages: 1)
    stage.store(0)
    let child = try stage.space.fork()
    let shared = stage.frame(0)
    let held = try stage.space.pin(stage.range(0..<1), by: &stage.task)
    let pinned = stage.frame(0)
    #expect(pinned != shared)
    stage.store(0)
    #expect(stage.frame(0) == pinned)
    #expect(child.entry(ofPage: stage.base).frame == shared)
    held.unpin()
  }
}
