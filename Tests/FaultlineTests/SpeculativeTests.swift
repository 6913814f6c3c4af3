import FaultlineCheck
import Testing

@testable import Faultline

/// Faults without a lock: what they serve, why they give up, and that giving up leaves nothing behind.
@Suite struct SpeculativeTests {
  static let modes: [LockMode] = [.speculative, .speculativePerVMA]
  private static let first: UInt64 = 5120

  /// A file of 32 cached pages, mapped private, with the table of its entries made by a fault at its last page.
  private final class Scene {
    let machine: Machine
    let file: OpenFile
    let space: AddressSpace
    var task = FaultTask()

    init(
      _ mode: LockMode, rules: KernelRules = .linux6_18, traits: FileTraits = .ext4Journal, misses: UInt64 = 0
    ) throws {
      machine = try Machine(rules: rules, frameCount: 4096, contents: .bytes)
      let node = FileNode(machine: machine, traits: traits, size: 32 << 12)
      node.makeResident(0..<32)
      file = OpenFile(node: node, mode: .readWrite, misses: misses)
      space = try AddressSpace(machine: machine, lockMode: mode)
      try map(flags: .private)
      _ = touch(31)
      task = FaultTask()
    }

    func map(at page: UInt64 = SpeculativeTests.first, flags: MapFlags, protection: Protection = [.read, .write]) throws
    {
      let isAnonymous = flags.contains(.anonymous)
      try space.mmap(
        address: VirtualAddress(page: page), length: 32 << 12, protection: protection, flags: flags.union(.fixed),
        file: isAnonymous ? nil : file, by: &task)
    }

    func touch(_ page: UInt64, _ access: Access = .read) -> Signal? {
      space.access(VirtualAddress(page: SpeculativeTests.first + page), access, by: &task)
    }

    /// References on a page, the cache's included.
    func references(_ page: UInt64) -> UInt64? { file.node.lookUp(page)?.folio.references }
  }

  private static var withoutAround: KernelRules {
    var rules = KernelRules.linux6_18
    rules.faultAroundBytes = PageSize.bytes
    return rules
  }

  @Test(arguments: modes)
  func loadsOfCachedPagesAndStoresToPrivateMemoryTakeNoLock(_ mode: LockMode) throws {
    let scene = try Scene(mode)
    #expect(scene.touch(0, .write) == nil)
    #expect(scene.task.speculation[.fileCopy] + scene.task.speculation[.firstCopy] == 1)
    #expect(scene.touch(1) == nil)
    scene.task = FaultTask()
    // Around page 1 all are entered: a store copies one.
    #expect(scene.touch(2, .write) == nil)
    #expect(scene.touch(2, .read) == nil)
    try scene.map(at: Self.first + 64, flags: [.private, .anonymous])
    #expect(scene.touch(64, .read) == nil)
    #expect(scene.task.speculation.successes == 2)
    #expect(scene.task.attempts.spaceLocks == 0)
    #expect(scene.touch(64, .write) == nil)
    #expect(scene.task.speculation[.firstCopy] == 1)
    #expect(scene.touch(65, .write) == nil)
    #expect(scene.task.attempts.spaceLocks == 1)
    #expect(scene.task.minorFaults == 4)
    #expect(Invariants(machine: scene.machine).check().isEmpty)
  }

  @Test(arguments: modes)
  func everyReasonIsCountedAndTheAccessGoesThroughAllTheSame(_ mode: LockMode) throws {
    let scene = try Scene(mode)
    func expect(_ reason: SpeculationAbort, at page: UInt64, _ access: Access = .read, endsIn signal: Signal? = nil) {
      let before = scene.task.speculation[reason]
      let locks = scene.task.attempts.spaceLocks
      #expect(scene.touch(page, access) == signal, "\(reason)")
      #expect(scene.task.speculation[reason] == before + 1, "\(reason)")
      #expect(scene.task.attempts.spaceLocks > locks)
    }
    scene.file.node.lookUp(3)?.folio.insert(.readahead)
    expect(.readaheadDue, at: 3)
    scene.file.node.dropClean()
    try scene.space.madvise(VirtualAddress(page: Self.first), length: 31 << 12, .dontNeed, by: &scene.task)
    scene.file.node.dropClean()
    expect(.absent, at: 4)
    expect(.unmapped, at: 40, endsIn: .segv(.mapErr))
    try scene.map(at: Self.first + 64, flags: .private, protection: .read)
    expect(.accessRefused, at: 64, .write, endsIn: .segv(.accErr))
    try scene.map(at: Self.first + 64, flags: .shared)
    expect(.sharedStore, at: 64, .write)
    try scene.map(at: Self.first + (1 << 12), flags: [.private, .anonymous])
    expect(.noTable, at: 1 << 12)
    scene.file.node.truncate(to: 8 << 12)
    expect(.absent, at: 9, endsIn: .bus(.adrErr))
    try scene.space.madvise(VirtualAddress(page: Self.first + 5), length: 4096, .guardInstall, by: &scene.task)
    expect(.marker, at: 5, endsIn: .segv(.mapErr))
    #expect(Invariants(machine: scene.machine).check().isEmpty)
  }

  /// The law that the patch of 2021 broke: attempts that found a page and gave up gave its reference back.
  @Test(arguments: modes)
  func attemptsThatGiveUpKeepNoReference(_ mode: LockMode) throws {
    let scene = try Scene(mode, rules: Self.withoutAround)
    let before = try #require(scene.references(3))
    for _ in 0..<100 {
      scene.file.node.lookUp(3)?.folio.insert(.readahead)
      #expect(scene.touch(3) == nil)
      try scene.space.madvise(VirtualAddress(page: Self.first + 3), length: 4096, .dontNeed, by: &scene.task)
    }
    #expect(scene.task.speculation[.readaheadDue] == 100)
    #expect(scene.references(3) == before)
  }

  #if DEBUG || ModelCheck
    /// Between the look at the page and the entry somebody changes areas elsewhere: only who watches all areas minds.
    @Test(arguments: modes)
    func aChangeElsewhereSendsBackOnlyWhoWatchesTheWholeSpace(_ mode: LockMode) throws {
      let scene = try Scene(mode, rules: Self.withoutAround)
      let space = scene.space
      nonisolated(unsafe) var hasRun = false
      scene.machine.switches.onRaceWindow = { window in
        guard window == .folioFound, !hasRun else { return }
        hasRun = true
        var task = FaultTask()
        _ = try? space.mmap(length: 4096, protection: .read, flags: [.private, .anonymous], by: &task)
      }
      let references = scene.references(7)
      #expect(scene.touch(7) == nil)
      scene.machine.switches.onRaceWindow = nil
      #expect(scene.task.speculation[.areaChanged] == (mode == .speculative ? 1 : 0))
      #expect(scene.task.speculation.successes == (mode == .speculative ? 0 : 1))
      #expect(scene.references(7) == references.map { $0 + 1 }, "the entry's, and no other")
      #expect(scene.task.minorFaults == 1)
    }
  #endif

  /// Fault-around finds the 15 neighbours, then the attempt gives up or goes on: what was found is taken back once.
  @Test(arguments: LockMode.allCases)
  func missesAreTakenBackOnceForAFault(_ mode: LockMode) throws {
    let scene = try Scene(mode, misses: 100)
    // The 16 pages around the last one, when the scene was set.
    #expect(scene.file.misses == 84)
    #expect(scene.touch(0) == nil)
    #expect(scene.file.misses == 68)
    let single = try Scene(mode, rules: Self.withoutAround, misses: 100)
    #expect(single.file.misses == 99)
    #expect(single.touch(0) == nil)
    #expect(single.file.misses == 98)
  }

  @Test func attemptsAreSuccessesAndAbortsTogether() throws {
    #expect(SpeculationAbort.allCases.allSatisfy { (0..<24).contains($0.rawValue) })
    let scene = try Scene(.speculative)
    var random = SplitMix(seed: 9)
    for _ in 0..<2_000 {
      let page = random.next() % 40
      _ = scene.touch(page, random.next() % 2 == 0 ? .read : .write)
      let address = VirtualAddress(page: Self.first + page)
      switch random.next() % 8 {
      case 0: try? scene.space.madvise(address, length: 4096, .dontNeed, by: &scene.task)
      case 1: try? scene.space.munmap(address, length: 4096)
      case 2: try? scene.map(flags: .private)
      case 3: scene.file.node.dropClean()
      default: break
      }
    }
    let counts = scene.task.speculation
    #expect(counts.successes > 0 && counts.abortCount > 0)
    #expect(counts.attempts == counts.successes + counts.abortCount)
    #expect(counts.successes <= scene.task.minorFaults)
    #expect(Invariants(machine: scene.machine).check().isEmpty)
  }

  @Test(arguments: modes)
  func aFileOutlivesItsAreaUntilReadersHaveLeftAndNoLonger(_ mode: LockMode) throws {
    let machine = try Machine(frameCount: 4096)
    do {
      let space = try AddressSpace(machine: machine, lockMode: mode)
      var task = FaultTask()
      let file = OpenFile(node: FileNode(machine: machine, traits: .ext4Journal, size: 8 << 12), mode: .readWrite)
      let address = try space.mmap(length: 8 << 12, protection: .read, flags: .shared, file: file, by: &task)
      _ = space.access(address, .read, by: &task)
      try space.munmap(address, length: 8 << 12)
    }
    #expect(machine.auditFiles.isEmpty)
    #expect(machine.memory.usedFrames == 1)
  }
}
