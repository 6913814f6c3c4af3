import FaultlineFS
import Testing

@testable import Faultline

/// What each flag asks for, and what it refuses.
@Suite struct PinFlagTests {
  /// 64 pages of data: nobody waits for a hole.
  private static func filledStore() throws -> RAMStore {
    let store = RAMStore()
    let bytes = [UInt8](repeating: 7, count: 64 << 12)
    try bytes.withUnsafeBytes { try store.write(firstPage: 0, from: $0) }
    return store
  }

  // MARK: Not waiting

  @Test(arguments: [Advice.normal, .random])
  func whoMayNotWaitBeginsTheReadAndAsksAgain(advice: Advice) throws {
    let stage = try PinStage()
    let node = try stage.mapFile(pages: 64, traits: .ext4Journal, store: Self.filledStore(), protection: .read)
    try stage.space.madvise(VirtualAddress(page: stage.base), length: 64 << 12, advice, by: &stage.task)
    #expect(stage.refusal(of: 20..<24, .noWait) == .EAGAIN)
    // Nothing was waited for, so no fault has ended; what was asked for has been read meanwhile.
    #expect(stage.task.minorFaults == 0 && stage.task.majorFaults == 0)
    #expect(node.isCached(20) && stage.space.entry(ofPage: stage.base + 20) == .none)
    if advice == .random {
      for _ in 21..<24 { #expect(stage.refusal(of: 20..<24, .noWait) == nil) }
    }
    let held = try stage.space.pin(stage.range(20..<24), .noWait, by: &stage.task)
    #expect(held.pageCount == 4 && stage.task.majorFaults == 0)
    held.unpin()
  }

  @Test func whatIsThereBeforeAPageThatIsNotIsHadWithoutWaiting() throws {
    let stage = try PinStage()
    let node = try stage.mapFile(pages: 64, traits: .ext4Journal, store: Self.filledStore(), protection: .read)
    node.makeResident(0..<3)
    let held = try stage.space.pin(stage.range(0..<8), .noWait, by: &stage.task)
    #expect(held.pageCount == 3)
    held.unpin()
    #expect(
      stage.refusal(of: 3..<8, .noWait) == nil)
  }

  @Test(arguments: [FileTraits.tmpfs, .ext4Journal])
  func whoMayNotWaitLeavesALockedFolioToItsOwner(traits: FileTraits) throws {
    let stage = try PinStage()
    let node = try stage.mapFile(
      pages: 4, traits: traits, store: traits.isMemoryOnly ? nil : Self.filledStore(), protection: .read)
    node.makeResident(0..<4)
    let folio = try #require(XArray.folio(node.slots.load(1)))
    folio.lock()
    #expect(stage.refusal(of: 1..<2, .noWait) == .EAGAIN)
    folio.unlock()
    #expect(stage.refusal(of: 1..<2, .noWait) == nil)
    #expect(folio.references == 1 + 1)
  }

  @Test func theAddressSpaceIsFreeAgainAfterARefusalToWait() throws {
    let stage = try PinStage()
    try stage.mapFile(pages: 64, traits: .ext4Journal, store: Self.filledStore())
    #expect(
      stage.refusal(of: 0..<1, [.write, .noWait]) == .EAGAIN)
    try stage.space.munmap(VirtualAddress(page: stage.base), length: 64 << 12)
  }

  // MARK: Not faulting

  @Test func withoutFaultsWhatIsEnteredIsAllThereIs() throws {
    let stage = try PinStage()
    try stage.mapPrivate(pages: 4)
    stage.store(0)
    stage.store(1)
    let held = try stage.space.pin(stage.range(0..<4), .noFault, by: &stage.task)
    #expect(held.pageCount == 2 && stage.task.minorFaults == 2)
    held.unpin()
    for flags: PinFlags in [.noFault, [.noFault, .force], [.noFault, .noWait]] {
      #expect(
        stage.refusal(of: 2..<4, flags) == .EFAULT)
    }
    #expect(stage.task.minorFaults == 2)
  }

  @Test func aPageThatMustBeCopiedFirstIsMissingForWhoMayNotFault() throws {
    let stage = try PinStage()
    try stage.mapPrivate(pages: 1)
    stage.store(0)
    let child = try stage.space.fork()
    for flags: PinFlags in [.noFault, [.noFault, .write]] {
      #expect(
        stage.refusal(of: 0..<1, flags) == .EFAULT)
    }
    #expect(child.entry(ofPage: stage.base).frame == stage.frame(0))
  }

  @Test func whoAsksForWhatAWalkCannotHonourIsTold() throws {
    let stage = try PinStage()
    try stage.mapPrivate(pages: 1)
    for flags: PinFlags in [.force, .longTerm] {
      var held = PinnedPages(.pin, of: stage.machine)
      #expect(throws: KernelError.self) {
        _ = try stage.space.holdNow(stage.range(0..<1), flags, into: &held, by: &stage.task)
      }
    }
    #expect(
      stage.refusal(of: 0..<1, .longTerm, .reference) == .EINVAL)
    let end = VirtualAddress.end.page - stage.base
    #expect(stage.refusal(of: end - 1..<end + 1) == .EINVAL)
  }

  // MARK: Forcing

  /// What may be had of a mapping, and whether a forced store leaves the file alone.
  @Test(arguments: [[], .read, [.read, .write]] as [Protection], [MapFlags.shared, .private])
  func forceGetsWhatTheAreaCouldBeMadeToAllow(protection: Protection, sharing: MapFlags) throws {
    for isWrite in [false, true] {
      for isForced in [false, true] {
        let stage = try PinStage()
        let node = try stage.mapFile(pages: 1, protection: protection, sharing)
        node.makeResident(0..<1)
        let allowed = isWrite ? protection.contains(.write) : protection.contains(.read)
        let forced = isForced && (!isWrite || sharing == .private)
        var flags: PinFlags = isWrite ? .write : []
        if isForced { flags.insert(.force) }
        let errno = stage.refusal(of: 0..<1, flags)
        #expect(errno == (allowed || forced ? nil : .EFAULT))
        guard errno == nil else { continue }
        let cached = try #require(XArray.folio(node.slots.load(0)))
        #expect((stage.folio(0) == cached) == !(isWrite && sharing == .private))
        #expect(
          stage.space.entry(ofPage: stage.base).isWritable == (isWrite && protection.contains(.write))
            || sharing == .shared)
      }
    }
  }

  // MARK: For long

  @Test func aFileThatMustBeToldOfStoresIsNotPinnedForLongToBeStoredTo() throws {
    for (rules, traits, sharing, errno): (KernelRules, FileTraits, MapFlags, Errno?) in [
      (.linux6_18, .ext4Journal, .shared, .EFAULT), (.linux6_12, .ext4Journal, .shared, .EFAULT),
      (.linux6_1, .ext4Journal, .shared, nil), (.linux6_18, .ext4Journal, .private, nil),
      (.linux6_18, .tmpfs, .shared, nil),
    ] {
      let stage = try PinStage(rules)
      try stage.mapFile(pages: 1, traits: traits, store: traits.isMemoryOnly ? nil : Self.filledStore(), sharing)
      let ask = { (flags: PinFlags) in
        stage.refusal(of: 0..<1, flags)
      }
      #expect(ask([.write, .longTerm]) == errno)
      #expect(ask(.longTerm) == nil && ask(.write) == nil)
    }
  }
}
