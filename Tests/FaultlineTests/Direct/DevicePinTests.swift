import Testing

@testable import Faultline

/// Pins of a device that is mapped as a whole: the same rule for every size of folio, and exact at every border.
@Suite struct DevicePinTests {
  private static let span = PageSize.entriesPerTable
  private static let giga = DeviceStage.giga

  /// How pages are taken hold of.
  enum Way: CaseIterable { case fast, slow, slowForLong }

  private static let cases: [(order: UInt64, way: Way)] =
    [0, 9, 18].flatMap { order in Way.allCases.map { (order, $0) } }

  /// Offsets and lengths around the borders of what a leaf of each size maps.
  private func pieces(_ order: UInt64) -> [Range<UInt64>] {
    let leaf: UInt64 = 1 << order
    let offsets: [UInt64] = order == 0 ? [0, 1, 510, 511, 512] : [0, 1, 17, leaf / 2, leaf - 2, leaf - 1]
    let lengths: [UInt64] =
      order == 18
      ? [1, 2, 513, leaf / 2 + 1] : order == 9 ? [1, 2, 3, 511, 512, 513, 1024] : [1, 2, 3, 511, 512, 513]
    return offsets.flatMap { first in lengths.map { first..<first + $0 } }
  }

  private func hold(
    _ pages: Range<UInt64>, _ way: Way, _ stage: DeviceStage, into held: inout PinnedPages
  ) throws -> UInt64 {
    let range = stage.range(pages)
    switch way {
    case .fast:
      return try stage.space.holdNow(range, .write, into: &held, by: &stage.task)
    case .slow:
      let before = held.pageCount
      stage.space.holdSlowly(
        stage.base + pages.lowerBound..<stage.base + pages.upperBound, .write, into: &held, by: &stage.task)
      return held.pageCount - before
    case .slowForLong:
      return try stage.space.hold(range, [.write, .longTerm], into: &held, by: &stage.task)
    }
  }

  @Test(arguments: DevicePinTests.cases)
  func everyPieceOfEveryLeafIsHeldExactly(order: UInt64, way: Way) throws {
    let stage = try DeviceStage(order: order, pages: order == 18 ? 2 * Self.giga : 4 * Self.span)
    try stage.map()
    for page in stride(from: 0, to: stage.device.pageCount, by: 1 << order) { stage.touch(page) }
    let kinds: [HoldKind] = way == .slowForLong ? [.pin] : [.reference, .pin]
    for kind in kinds {
      for form: PinnedPages.Form in order == 18 ? [.runs] : [.pages, .runs] {
        for piece in pieces(order) {
          var held = PinnedPages(kind, of: stage.machine, form: form)
          #expect(try hold(piece, way, stage, into: &held) == UInt64(piece.count))
          var next = piece.lowerBound
          held.forEachRun { run in
            let first = stage.pages.page(of: stage.machine.memory.frame(run.firstFrame))
            #expect(first == next && run.pageCount <= 1 << order)
            next += run.pageCount
          }
          #expect(next == piece.upperBound)
          expectCounts(piece, kind, order, stage)
          held.removeAll()
        }
      }
    }
    for page in stride(from: 0, to: stage.device.pageCount, by: 1 << order) {
      #expect(stage.folio(ofDevicePage: page).references == 2 && !stage.folio(ofDevicePage: page).mayBePinned)
    }
    #expect(stage.violations() == [])
  }

  /// The device's reference, the entry's, and one for each page, or for one of a single page as many as a pin counts.
  private func expectCounts(_ piece: Range<UInt64>, _ kind: HoldKind, _ order: UInt64, _ stage: DeviceStage) {
    let leaf: UInt64 = 1 << order
    for first in stride(from: 0, to: stage.device.pageCount, by: Int(leaf)) {
      let pages = UInt64(piece.clamped(to: first..<first + leaf).count)
      let folio = stage.folio(ofDevicePage: first)
      #expect(folio.references == 2 + pages * (kind == .pin && order == 0 ? Folio.pinBias : 1))
      #expect(folio.mayBePinned == (kind == .pin && pages > 0))
    }
  }

  @Test(arguments: [9, 18] as [UInt64])
  func aHoleEndsWhatIsHeldAndIsAnErrorOnlyAtTheBegin(order: UInt64) throws {
    let leaf: UInt64 = 1 << order
    let stage = try DeviceStage(order: order, pages: 4 * leaf)
    try stage.map()
    try stage.space.munmap(stage.address(2 * leaf), length: leaf << 12)
    // Two areas that touch, with other permissions, are one range to hold.
    try stage.space.mprotect(stage.address(leaf), length: leaf << 12, .read, by: &stage.task)
    func held(_ pages: Range<UInt64>, _ flags: PinFlags) throws -> UInt64 {
      let held = try stage.space.pin(stage.range(pages), flags, form: .runs, by: &stage.task)
      return held.pageCount
    }
    #expect(try held(leaf - 3..<leaf + 3, []) == 6)
    #expect(try held(leaf - 3..<leaf + 3, .write) == 3)
    #expect(try held(leaf - 3..<4 * leaf, []) == leaf + 3)
    #expect(errno { _ = try held(2 * leaf..<2 * leaf + 1, []) } == .EFAULT)
    #expect(errno { _ = try held(leaf..<leaf + 1, .write) } == .EFAULT)
    #expect(try held(3 * leaf..<4 * leaf, []) == leaf)
    #expect(stage.violations() == [])
  }

  @Test func aFolioOfOneGibibyteGivesNoMoreThanItsCounterHolds() throws {
    let stage = try DeviceStage(order: 18)
    try stage.map()
    stage.touch(0)
    let folio = stage.folio(ofDevicePage: 0)
    let many = 1 << 31 - 2 - Self.giga + 1
    folio.get(many)
    var held = PinnedPages(.pin, of: stage.machine, form: .runs)
    #expect(try stage.space.holdNow(stage.range(0..<Self.giga), .write, into: &held, by: &stage.task) == 0)
    #expect(try stage.space.holdNow(stage.range(1..<Self.giga), .write, into: &held, by: &stage.task) == Self.giga - 1)
    held.removeAll()
    folio.put(many, to: stage.machine.memory)
    #expect(folio.references == 2)
  }

  @Test func aRaceThatIsLostGivesBackExactlyWhatWasTaken() throws {
    let stage = try DeviceStage(order: 18)
    try stage.map()
    stage.touch(0)
    try stage.space.mprotect(stage.address(0), length: 1 << 30, .read, by: &stage.task)
    var held = PinnedPages(.pin, of: stage.machine, form: .runs)
    #expect(try stage.space.holdNow(stage.range(0..<9), .write, into: &held, by: &stage.task) == 0)
    #expect(try stage.space.holdNow(stage.range(0..<9), into: &held, by: &stage.task) == 9)
    #expect(stage.folio(ofDevicePage: 0).references == 11)
    held.removeAll()
    #expect(stage.folio(ofDevicePage: 0).references == 2)
  }
}
