#if DEBUG || ModelCheck

  import Faultline
  import FaultlineCheck
  import Foundation
  import Testing

  /// Every fault that can be put into the engine is seen, by the law that it breaks; without it the same story is
  /// clean.
  @Suite struct SeededBugTests {
    @Test(arguments: SeededBug.allCases.filter { $0.law != nil })
    func isSeenByTheLawThatItBreaks(_ bug: SeededBug) throws {
      #expect(try breaches(of: bug, isSeeded: false).isEmpty)
      let breaches = try breaches(of: bug, isSeeded: true)
      #expect(breaches.contains { $0.law == bug.law }, "\(breaches)")
    }

    @Test func aBreachNamesWhoTookTheReference() throws {
      let breach = try breaches(of: .getsMappedNeighbourTwice, isSeeded: true).first { $0.law == .referencesAddUp }
      #expect(try #require(breach).subject.contains("+1 enter("))
    }

    /// It counts right and records what lies elsewhere, which no law of a machine at rest knows of.
    @Test(arguments: [false, true]) func aShiftTakenForASizeShowsAnotherPage(isSeeded: Bool) throws {
      let bug = SeededBug.takesShiftForSize
      let scene = try Scene()
      if isSeeded { scene.machine.switches.bugs = [bug] }
      try bug.storeHugePrivate(scene)
      let shown = scene.hold(SeededBug.inside, .pin, .write)
      let wanted = SeededBug.inside.map { scene.space.entry(ofPage: $0).frame }
      #expect((shown == wanted) == !isSeeded)
      #expect(scene.check().isEmpty)
    }

    private func breaches(of bug: SeededBug, isSeeded: Bool) throws -> [Violation] {
      let scene = try Scene(rules: bug.rules)
      // A broken machine cannot be taken apart; it stays, with what it holds.
      if isSeeded { _ = Unmanaged.passRetained(scene) }
      if isSeeded { scene.machine.switches.bugs = [bug] }
      try bug.provoke(scene)
      scene.machine.switches.onRaceWindow = nil
      return scene.check()
    }
  }

  extension SeededBug {
    /// `nil` for those that only other threads bring out (the explorer finds them), and for those that break no law but
    /// a promise about huge pages (`HugeTests`) or DAX (`DirectSyncTests`).
    fileprivate var law: Law? {
      switch self {
      case .skipsMappingCheck: .entriesShowTheRightPage
      case .skipsSizeCheck: .nothingBeyondEnd
      case .keepsSpareTable: .tablesAddUp
      case .putsSkippedNeighbourTwice, .getsMappedNeighbourTwice: .referencesAddUp
      case .forgetsWriteProtect: .notifiedBeforeWritable
      case .unmapsOnce: .nothingBeyondEnd
      case .forgetsDeposit: .splitsNeverFail
      case .believesRefusedHuge: .referencesAddUp
      case .skipsMiddleCheck: .tablesAddUp
      case .mapsValueHuge, .entersTableForLockedFolio: nil
      case .unfreezesOriginalFirst, .walkHoldsSpace: nil
      case .countsPinOnSubpage: .referencesAddUp
      case .keepsPinOfLostRace, .undoesOnePinTooMany: .referencesAddUp
      case .pinsDuringFork: .pinnedIsTheProgramsOwn
      case .takesShiftForSize, .takesTableInUse, .removesWithoutEpochs: nil
      case .entersBeforeSync, .entersWithoutSync, .wakesOneWaiter, .waitsByUnroundedIndex, .syncsWrongRange,
        .protectsOneMapping:
        nil
      case .leaksOnAbort, .skipsSpeculationCheck, .leavesEpochEarly, .forgetsMissesTwice: nil
      case .skipsSequenceCheck, .forkLeavesAreasUnmarked, .freesTableAtOnce, .skipsEntryCheck, .skipsTableCheck: nil
      }
    }

    /// Without fault-around every load asks the file for its page.
    fileprivate var rules: KernelRules {
      var rules = KernelRules.linux6_18
      if self == .skipsMappingCheck || self == .skipsSizeCheck { rules.faultAroundBytes = PageSize.bytes }
      return rules
    }

    /// Does what the bug makes go wrong.
    fileprivate func provoke(_ scene: Scene) throws {
      switch self {
      case .skipsMappingCheck:
        try raceTruncation(scene, thenGrowBack: true)
      case .skipsSizeCheck:
        try raceTruncation(scene, thenGrowBack: false)
      case .keepsSpareTable:
        // The load beyond the end needs no table: nothing of its window is in the file.
        scene.node.truncate(to: 10 << 12)
        _ = scene.touch(100, .read)
      case .putsSkippedNeighbourTwice:
        _ = scene.touch(3, .read, shared: true)
        _ = scene.touch(3, .write)
        _ = scene.touch(5, .read)
      case .getsMappedNeighbourTwice:
        _ = scene.touch(5, .read)
      case .forgetsWriteProtect:
        _ = scene.touch(5, .write, shared: true)
        try scene.node.writeBack()
      case .unmapsOnce:
        raceCopyAgainstTruncation(scene)
      case .forgetsDeposit:
        try storeHugePrivate(scene)
      case .believesRefusedHuge:
        _ = try mapHugeFile(scene, at: 3)
      case .countsPinOnSubpage:
        try storeHugePrivate(scene)
        scene.hold(Self.inside, .reference)
      case .keepsPinOfLostRace, .undoesOnePinTooMany:
        // Another program shows the pages too, which a pin without locks learns after it has counted.
        try storeHugePrivate(scene)
        scene.child = try scene.space.fork()
        scene.hold(Self.inside)
      case .pinsDuringFork:
        _ = scene.touch(5, .write)
        nonisolated(unsafe) let scene = scene
        scene.machine.switches.onRaceWindow = { window in
          if window == .notPinned { scene.hold(scene.base + 5..<scene.base + 6, .pin, .write, keeping: true) }
        }
        // Only a program that has pinned before is looked at for pins.
        scene.hold(scene.base..<scene.base)
        scene.child = try scene.space.fork()
      case .skipsMiddleCheck:
        try enterTableWhileHugeIsDecided(scene)
      case .skipsSequenceCheck, .forkLeavesAreasUnmarked, .freesTableAtOnce, .skipsEntryCheck, .skipsTableCheck,
        .mapsValueHuge, .entersTableForLockedFolio, .unfreezesOriginalFirst,
        .walkHoldsSpace, .takesShiftForSize, .takesTableInUse, .removesWithoutEpochs,
        .entersBeforeSync, .entersWithoutSync, .wakesOneWaiter, .waitsByUnroundedIndex, .syncsWrongRange,
        .protectsOneMapping, .leaksOnAbort, .skipsSpeculationCheck, .leavesEpochEarly, .forgetsMissesTwice:
        break
      }
    }

    /// In the middle of the 2 MiB.
    fileprivate static let inside: Range<UInt64> = 1 << 20 + 3..<1 << 20 + 5

    fileprivate func storeHugePrivate(_ scene: Scene) throws {
      let address = VirtualAddress(page: 1 << 20)
      let length = PageSize.entriesPerTable << 12
      try scene.space.mmap(
        address: address, length: length, protection: [.read, .write], flags: [.private, .anonymous, .fixed], file: nil,
        by: &scene.task)
      try scene.space.madvise(address, length: length, .hugePage, by: &scene.task)
      _ = scene.space.access(address, .write, by: &scene.task)
    }

    /// A file of huge folios, loaded once, `offset` pages behind where it could be mapped by one entry.
    private func mapHugeFile(_ scene: Scene, at offset: UInt64) throws -> VirtualAddress {
      let length = 2 * PageSize.entriesPerTable << 12
      let node = FileNode(machine: scene.machine, traits: .tmpfsHuge, size: length)
      scene.hugeFile = OpenFile(node: node, mode: .readWrite)
      let address = VirtualAddress(page: 1 << 20 + offset)
      // Written, for a fault makes huge folios only where it could map them.
      let bytes = [UInt8](repeating: 1, count: Int(length))
      try bytes.withUnsafeBytes { try scene.hugeFile?.write(at: 0, $0) }
      try scene.space.mmap(
        address: address, length: length, protection: [.read, .write], flags: [.shared, .fixed], file: scene.hugeFile,
        by: &scene.task)
      _ = scene.space.access(address, .read, by: &scene.task)
      return address
    }

    private func enterTableWhileHugeIsDecided(_ scene: Scene) throws {
      nonisolated(unsafe) var hasRun = false
      let space = scene.space
      scene.machine.switches.onRaceWindow = { window in
        guard window == .hugeDecided, !hasRun else { return }
        hasRun = true
        var task = FaultTask()
        try? space.madvise(VirtualAddress(page: 1 << 20 + 7), length: 4096, .guardInstall, by: &task)
      }
      _ = try mapHugeFile(scene, at: 0)
    }

    /// The file is cut while a load has found its page and has not locked it.
    private func raceTruncation(_ scene: Scene, thenGrowBack: Bool) throws {
      _ = scene.touch(20, .read)
      nonisolated(unsafe) var hasRun = false
      let node = scene.node
      scene.machine.switches.onRaceWindow = { window in
        guard window == .folioFound, !hasRun else { return }
        hasRun = true
        node.truncate(to: 0)
        if thenGrowBack { node.truncate(to: 200 << 12) }
      }
      _ = scene.touch(21, .read)
    }

    /// A private copy is made of a page that a truncation, which has unmapped once, waits to take away.
    private func raceCopyAgainstTruncation(_ scene: Scene) {
      let copyIsReady = DispatchSemaphore(value: 0)
      let unmappedOnce = DispatchSemaphore(value: 0)
      scene.machine.switches.onRaceWindow = { window in
        switch window {
        case .copyReady:
          copyIsReady.signal()
          unmappedOnce.wait()
        case .unmappedOnce: unmappedOnce.signal()
        case .folioFound, .hugeDecided, .notPinned: break
        }
      }
      let node = scene.node
      let truncation = Thread {
        copyIsReady.wait()
        node.truncate(to: 0)
        copyIsReady.signal()
      }
      truncation.start()
      _ = scene.touch(20, .write)
      copyIsReady.wait()
    }
  }

#endif
