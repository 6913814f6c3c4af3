import FaultlineCheck
import FaultlineFS
import Testing

@testable import Faultline

/// Faults of both sizes on files with DAX, and what each leaves in the slots.
@Suite struct DirectFaultTests {
  private static let span = DirectStage.span

  // MARK: Single pages

  @Test func aHoleIsShownAsZeroesUntilSomebodyStores() throws {
    let stage = try DirectStage(pages: 16)
    try stage.map()
    try stage.map(at: 64)
    #expect(stage.load(3) == .success(0))
    #expect(stage.load(67) == .success(0))
    #expect(stage.slot(3)?.isZero == true)
    #expect(try stage.allocated().isEmpty)
    #expect(stage.store(3, 77) == nil)
    #expect(stage.slot(3)?.isBlock == true)
    #expect(stage.entry(67).isNone)
    #expect(stage.load(67) == .success(77))
    #expect(Invariants(machine: stage.machine).check().isEmpty)
  }

  @Test func aStoreThatAllocatesIsMajorAndTheNextOneIsNoFault() throws {
    let stage = try DirectStage(pages: 16)
    try stage.map()
    #expect(stage.faults { stage.store(1) } == [0, 1])
    #expect(stage.faults { stage.store(1) } == [0, 0])
    #expect(stage.isMarkedDirty(1))
    #expect(stage.entry(1).isWritable)
  }

  @Test func aLoadEntersReadOnlyAndTheFirstStoreAsksTheFileAgain() throws {
    let stage = try DirectStage(pages: 16)
    try stage.map()
    stage.store(2)
    try stage.node.sync()
    #expect(!stage.entry(2).isWritable)
    #expect(!stage.isMarkedDirty(2))
    let events = stage.events { stage.store(2) }
    #expect(events.map(\.kind) == [.userFault, .directPageFault, .directPageFaultDone])
    #expect(stage.isMarkedDirty(2))
  }

  @Test func whatIsStoredIsOnTheDevice() throws {
    let stage = try DirectStage(pages: 16)
    try stage.map()
    stage.store(5, 0xABCD)
    let place = try stage.devicePage(5)
    #expect(stage.device.bytes.load(fromByteOffset: Int(place << 12), as: UInt64.self) == 0xABCD)
    var read: UInt64 = 0
    try stage.file.read(at: 5 << 12, count: 8) { _, _, bytes in
      read = bytes?.loadUnaligned(as: UInt64.self) ?? 0
    }
    #expect(read == 0xABCD)
  }

  @Test func behindTheEndIsASignal() throws {
    let stage = try DirectStage(pages: 4)
    try stage.map(pages: 8)
    #expect(stage.load(4) == .failure(.bus(.adrErr)))
    #expect(stage.store(5) == .bus(.adrErr))
  }

  @Test(arguments: KernelRules.all)
  func aDamagedPageIsASignalThatNewKernelsTellApart(rules: KernelRules) throws {
    let stage = try DirectStage(rules, pages: 4)
    try stage.map()
    stage.store(1)
    let place = try stage.devicePage(1)
    try stage.space.munmap(VirtualAddress(page: stage.base), length: 4 << 12)
    stage.device.damage(place..<place + 1)
    try stage.map()
    #expect(stage.load(1) == .failure(.bus(rules.direct.reportsDamage ? .mceErrAR : .adrErr)))
    #expect(throws: KernelError.self) { try stage.file.read(at: 1 << 12, count: 8) { _, _, _ in } }
    stage.device.damage(nil)
    #expect(stage.load(1) == .success(1))
  }

  // MARK: Private mappings

  @Test func aPrivateStoreCopiesAndLeavesTheFileAlone() throws {
    let stage = try DirectStage(pages: 16)
    try stage.map()
    stage.store(1, 5)
    try stage.map(at: 64, .private)
    #expect(stage.load(65) == .success(5))
    stage.store(65, 6)
    stage.store(66, 7)
    #expect(stage.load(1) == .success(5))
    #expect(stage.load(2) == .success(0))
    #expect(stage.load(65) == .success(6))
    #expect(stage.slot(2)?.isZero == true)
    #expect(Invariants(machine: stage.machine).check().isEmpty)
  }

  // MARK: 2 MiB

  @Test func alignedPagesAreEnteredAtOnce() throws {
    let stage = try DirectStage()
    try stage.map()
    #expect(stage.faults { stage.store(5) } == [1, 0])
    #expect(stage.entry(400).isHuge && stage.entry(400).isWritable)
    #expect(stage.slot(0)?.isHuge == true && stage.isMarkedDirty(511))
    #expect(stage.faults { stage.store(511) } == [0, 0])
    #expect(Invariants(machine: stage.machine).check().isEmpty)
  }

  @Test func aHoleOf2MiBIsShownByOneEntryThatAStoreReplaces() throws {
    let stage = try DirectStage()
    try stage.map()
    try stage.map(at: 4 * Self.span)
    #expect(stage.load(5) == .success(0))
    #expect(stage.load(4 * Self.span + 9) == .success(0))
    #expect(stage.entry(5).isHuge && stage.entry(5).isSpecial)
    stage.store(7, 3)
    #expect(stage.entry(7).isHuge && !stage.entry(7).isSpecial)
    #expect(stage.entry(4 * Self.span).isNone)
    #expect(stage.load(4 * Self.span + 7) == .success(3))
    #expect(Invariants(machine: stage.machine).check().isEmpty)
  }

  /// Why 2 MiB are not mapped at once.
  enum Refusal: CaseIterable {
    case colour, areaBegins, areaEnds, fileEnds, blocksLieAskew, pageIsThere, privateStore, advice
  }

  @Test(arguments: Refusal.allCases)
  func eachReasonToRefuse2MiBFallsBackToAPage(reason: Refusal) throws {
    let stage = try DirectStage(
      pages: reason == .fileEnds ? Self.span - 1 : 2 * Self.span, residue: reason == .blocksLieAskew ? 1 : 0)
    switch reason {
    case .colour: try stage.map(at: 1, pages: 2 * Self.span - 1)
    case .areaBegins: try stage.map(at: 1, pages: Self.span, filePage: 1)
    case .areaEnds: try stage.map(pages: Self.span - 1)
    case .privateStore: try stage.map(.private)
    case .advice:
      try stage.map()
      try stage.space.madvise(
        VirtualAddress(page: stage.base), length: Self.span << 12, .noHugePage, by: &stage.task)
    case .pageIsThere:
      try stage.map(at: 1, pages: 64)
      stage.store(9)
      try stage.map(at: 4 * Self.span)
    default: try stage.map()
    }
    let page = reason == .pageIsThere ? 4 * Self.span + 20 : 20
    let events = stage.events { stage.store(page) }
    #expect(stage.load(page) == .success(1))
    #expect(!stage.entry(page).isHuge && !stage.entry(page).isNone)
    let done = events.filter { $0.kind == .directHugeFaultDone }
    #expect(done.allSatisfy { $0.fault?.result == .fallback })
    #expect(done.isEmpty == (reason == .advice))
    #expect(Invariants(machine: stage.machine).check().isEmpty)
  }

  @Test func aPageUnderAnEntryOf2MiBUsesIt() throws {
    let stage = try DirectStage()
    try stage.map()
    stage.store(5, 9)
    try stage.map(at: 4 * Self.span + 1, pages: 64)
    #expect(stage.load(4 * Self.span + 6) == .success(9))
    #expect(!stage.entry(4 * Self.span + 6).isHuge)
    #expect(stage.slot(5)?.isHuge == true)
    #expect(Invariants(machine: stage.machine).check().isEmpty)
  }

  @Test func zeroesOf2MiBGoWhenAPageIsWanted() throws {
    let stage = try DirectStage()
    try stage.map()
    stage.load(5)
    try stage.map(at: 4 * Self.span + 1, pages: 64)
    stage.store(4 * Self.span + 6, 4)
    #expect(stage.slot(5)?.isHuge == false && stage.slot(6) == nil)
    #expect(stage.entry(5).isNone)
    #expect(stage.load(5) == .success(4))
    #expect(Invariants(machine: stage.machine).check().isEmpty)
  }

  @Test func partOf2MiBThatGoesTakesTheRestAlong() throws {
    let stage = try DirectStage()
    try stage.map()
    stage.store(5, 8)
    try stage.space.munmap(VirtualAddress(page: stage.base + 100), length: 3 << 12)
    #expect(stage.entry(5).isNone)
    #expect(stage.load(5) == .success(8))
    #expect(!stage.entry(5).isHuge)
    #expect(Invariants(machine: stage.machine).check().isEmpty)
  }

  // MARK: read(2), write(2)

  @Test func whatIsWrittenIntoAHoleIsSeenThroughAMappingOfItsZeroes() throws {
    let stage = try DirectStage()
    try stage.map()
    stage.load(5)
    let bytes = [UInt8](repeating: 0x11, count: 100)
    try bytes.withUnsafeBytes { try stage.file.write(at: 5 << 12, $0) }
    #expect(stage.load(5) == .success(0x1111_1111_1111_1111))
    try bytes.withUnsafeBytes { try stage.file.write(at: 3 * Self.span << 12, $0) }
    #expect(stage.node.size == 3 * Self.span << 12 + 100)
    #expect(Invariants(machine: stage.machine).check().isEmpty)
  }

  // MARK: Pins

  @Test func aPinForLongIsRefusedAndOneForATransferHoldsTheBlock() throws {
    let stage = try DirectStage(pages: 16)
    try stage.map()
    stage.store(3)
    let page = VirtualAddress(page: stage.base + 3)
    let range = page..<VirtualAddress(page: stage.base + 4)
    let refusal = #expect(throws: KernelError.self) {
      _ = try stage.space.pin(range, [.write, .longTerm], by: &stage.task).pageCount
    }
    #expect(refusal?.errno == .EOPNOTSUPP)
    let pages = try stage.space.pin(range, .write, by: &stage.task)
    #expect(throws: KernelError.self) { try stage.node.resize(to: 0, busyPages: .refuse) }
    pages.unpin()
    try stage.node.resize(to: 0, busyPages: .refuse)
    #expect(Invariants(machine: stage.machine).check().isEmpty)
  }
}
