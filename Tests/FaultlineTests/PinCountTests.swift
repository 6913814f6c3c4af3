import Testing

@testable import Faultline

/// How often pages are counted, and that every count is given back as it was taken.
@Suite struct PinCountTests {
  private static let span = PageSize.entriesPerTable

  /// Two folios of one page and two of 2 MiB.
  private func mixed() throws -> PinStage {
    let stage = try PinStage()
    try stage.mapPrivate(pages: 4 * Self.span, huge: true)
    try stage.space.madvise(
      VirtualAddress(page: stage.base + 2 * Self.span), length: 2 * Self.span << 12, .noHugePage, by: &stage.task)
    for page in [0, Self.span, 2 * Self.span, 2 * Self.span + 1] { stage.store(page) }
    return stage
  }

  @Test(arguments: [HoldKind.reference, .pin], [PinnedPages.Form.pages, .runs])
  func interleavedAndRepeatedPagesAreGivenBackAsOftenAsTheyWereTaken(kind: HoldKind, form: PinnedPages.Form) throws {
    let stage = try mixed()
    let pages = [0, Self.span, 2 * Self.span, 2 * Self.span + 1]
    let before = pages.map { stage.folio($0).references }
    // A B A B, A A B B, B A A, and neighbours that lie in one folio the other way round.
    for order: [UInt64] in [
      [0, Self.span, 0, Self.span], [0, 0, Self.span, Self.span], [2 * Self.span, 2 * Self.span + 1, 2 * Self.span],
      [2 * Self.span + 1, 2 * Self.span], [5, 4, 3, 4, 5], [0, 2 * Self.span, 0, 0, 1, 0], [Self.span - 1, Self.span],
    ] {
      var held = PinnedPages(kind, of: stage.machine, form: form)
      for page in order {
        #expect(try stage.space.hold(stage.range(page..<page + 1), .write, into: &held, by: &stage.task) == 1)
      }
      for (page, references) in zip(pages, before) {
        let times = UInt64(order.count { stage.folio($0) == stage.folio(page) })
        let isSmall = page >= 2 * Self.span
        #expect(stage.folio(page).references == references + times * (kind == .pin && isSmall ? Folio.pinBias : 1))
        #expect(stage.folio(page).mayBePinned == (kind == .pin && times > 0))
      }
      var frames: [FrameNumber] = []
      held.forEachPage { frames.append($0) }
      #expect(frames == order.map(stage.frame))
      held.unpin(markingDirty: order.count > 3)
      #expect(pages.map { stage.folio($0).references } == before)
      #expect(pages.allSatisfy { !stage.folio($0).mayBePinned })
    }
  }

  @Test func allAtOnceIsTheSameAsOneByOneInFewerSteps() throws {
    let stage = try mixed()
    let range = 100..<2 * Self.span + 2
    let (together, steps) = frames(of: [range], in: stage)
    let (singly, more) = frames(of: range.map { $0..<$0 + 1 }, in: stage)
    #expect(together == singly && together.count == range.count)
    #expect(steps == 2 + 2 && more == range.count)
  }

  /// What is recorded for ranges that are held one after the other, and the steps that this took.
  private func frames(of ranges: [Range<UInt64>], in stage: PinStage) -> ([FrameNumber], steps: Int) {
    var held = PinnedPages(.pin, of: stage.machine)
    stage.machine.events.start()
    for range in ranges { _ = try? stage.space.hold(stage.range(range), .write, into: &held, by: &stage.task) }
    stage.machine.events.stop()
    var frames: [FrameNumber] = []
    held.forEachPage { frames.append($0) }
    return (frames, stage.machine.events.drain().events.count { $0.kind == .held })
  }

  @Test(arguments: [HoldKind.reference, .pin])
  func underTheLockEveryPartOfARangeIsHeldAsWithoutIt(kind: HoldKind) throws {
    let stage = try mixed()
    for (first, count): (UInt64, UInt64) in [(0, 1), (511, 2), (300, 512), (1000, 26), (0, 1026), (1024, 2)] {
      var fast = PinnedPages(kind, of: stage.machine)
      var slow = PinnedPages(kind, of: stage.machine)
      let range = stage.range(first..<first + count)
      #expect(try stage.space.holdNow(range, .write, into: &fast, by: &stage.task) == count)
      let between = [0, Self.span, 2 * Self.span].map { stage.folio($0).references }
      #expect(try stage.space.hold(range, [.write, .force], into: &slow, by: &stage.task) == count)
      var frames: [[FrameNumber]] = [[], []]
      fast.forEachPage { frames[0].append($0) }
      slow.forEachPage { frames[1].append($0) }
      #expect(frames[0] == frames[1])
      fast.removeAll()
      let after = [0, Self.span, 2 * Self.span].map { stage.folio($0).references }
      #expect(after == between)
    }
  }

  @Test func aLargeFolioTellsPinsFromReferencesExactly() throws {
    let stage = try mixed()
    let held = try stage.space.get(stage.range(0..<Self.span), .write, by: &stage.task)
    stage.folio(0).get(2000)
    #expect(!stage.folio(0).mayBePinned)
    let pinned = try stage.space.pin(stage.range(7..<8), .write, by: &stage.task)
    #expect(stage.folio(0).mayBePinned)
    pinned.unpin()
    #expect(!stage.folio(0).mayBePinned)
    stage.folio(0).put(2000, to: stage.machine.memory)
    held.unpin()
    #expect(stage.folio(0).references == 1)
  }

  @Test(arguments: [PinFlags.write, [.write, .force]])
  func theCountNeverPassesItsLimitOnEitherWay(flags: PinFlags) throws {
    let stage = try mixed()
    let limit: UInt64 = 1 << 31
    let ask = { (pages: Range<UInt64>) in
      stage.refusal(of: pages, flags, .reference)
    }
    // All 512 pages, or none of them.
    stage.folio(0).get(limit - 512)
    #expect(ask(0..<512) == .ENOMEM && ask(0..<511) == nil)
    #expect(stage.folio(0).references == limit - 511)
    stage.folio(0).put(limit - 512, to: stage.machine.memory)
    // A pin of one page is 1024 references.
    let small = 2 * Self.span
    stage.folio(small).get(limit - 1024)
    #expect(
      stage.refusal(of: small..<small + 1, flags) != nil)
    stage.folio(small).put(1, to: stage.machine.memory)
    #expect(
      stage.refusal(of: small..<small + 1, flags) == nil)
    stage.folio(small).put(limit - 1025, to: stage.machine.memory)
    #expect(stage.folio(small).references == 1)
  }

  @Test func twoMiBOfZeroesAreCountedLikeAnyFolio() throws {
    let stage = try PinStage()
    try stage.mapPrivate(pages: Self.span, huge: true)
    #expect(stage.space.access(VirtualAddress(page: stage.base), .read, by: &stage.task) == nil)
    let first = stage.frame(0)
    let before = stage.folio(0).references
    let held = try stage.space.pin(stage.range(10..<20), by: &stage.task)
    var frames: [FrameNumber] = []
    held.forEachPage { frames.append($0) }
    #expect(frames == (10..<20).map { FrameNumber(rawValue: first.rawValue + $0) })
    #expect(stage.folio(0).references == before + 10)
    held.unpin()
    #expect(stage.folio(0).references == before)
  }

  @Test func whatLiesBehindAHoleOrAnAreasEndIsNotHad() throws {
    let stage = try mixed()
    let hole = Self.span + 17
    try stage.space.munmap(VirtualAddress(page: stage.base + hole), length: 1 << 12)
    for flags: PinFlags in [.write, [.write, .force]] {
      let held = try stage.space.pin(stage.range(500..<hole + 3), flags, by: &stage.task)
      #expect(held.pageCount == hole - 500)
      held.unpin()
      #expect(
        stage.refusal(of: hole..<hole + 3, flags) == .EFAULT)
    }
  }
}
