import Testing

@testable import Faultline

@Suite struct ForkTests {
  private let base: UInt64 = 4096

  @Test func mappingsOfFilesAloneAreFaultedAgainByTheChild() throws {
    let bench = try Bench(filePages: 64, resident: true)
    try bench.map(pages: 64, at: base)
    #expect(bench.read(base) == nil)
    let child = try bench.space.fork()
    #expect(child.mappedFilePages == 0)
    var task = FaultTask()
    #expect(child.access(VirtualAddress(page: base + 40), .read, by: &task) == nil)
    #expect(task.minorFaults == 1)
  }

  /// A store that an area refuses leaves it without private copies, whatever lock it took: its pages are not the
  /// child's.
  @Test(arguments: LockMode.allCases)
  func aRefusedStoreDoesNotMakeAForkCopyEntries(_ mode: LockMode) throws {
    let machine = try Machine(frameCount: 1024)
    let node = FileNode(machine: machine, traits: .tmpfs, size: 16 << 12)
    let space = try AddressSpace(machine: machine, lockMode: mode)
    var task = FaultTask()
    let address = VirtualAddress(page: base)
    try space.mmap(
      address: address, length: 16 << 12, protection: .read, flags: [.private, .fixed],
      file: OpenFile(node: node, mode: .readWrite), by: &task)
    #expect(space.access(address, .read, by: &task) == nil)
    #expect(space.access(address, .write, by: &task) == .segv(.accErr))
    #expect(try space.fork().mappedFilePages == 0)
  }

  @Test func privatePagesAreSharedUntilOneSideStores() throws {
    let bench = try Bench(filePages: 64, resident: true)
    try bench.map(pages: 64, at: base, protection: [.read, .write], flags: .private)
    for page in base..<base + 4 { #expect(bench.write(page) == nil) }
    let framesBefore = bench.machine.memory.usedFrames
    let child = try bench.space.fork()
    #expect(child.mappedPrivatePages == 4)
    var task = FaultTask()
    #expect(child.access(VirtualAddress(page: base), .read, by: &task) == nil)
    #expect(task.minorFaults == 0, "the child reads what the parent had mapped")
    #expect(child.access(VirtualAddress(page: base), .write, by: &task) == nil)
    #expect(task.minorFaults == 1)
    #expect(bench.machine.memory.usedFrames == framesBefore + 1, "the child's store made a copy")
    let faults = bench.minor
    #expect(bench.write(base) == nil)
    #expect(bench.minor == faults + 1)
    #expect(bench.machine.memory.usedFrames == framesBefore + 1, "the parent is alone with its page again")
  }

  @Test func aChildGivesEverythingBack() throws {
    let bench = try Bench(filePages: 64, resident: true)
    try bench.map(pages: 64, at: base, protection: [.read, .write], flags: .private)
    for page in base..<base + 64 { #expect(bench.write(page) == nil) }
    let frames = bench.machine.memory.usedFrames
    let tables = bench.machine.tables.liveTables
    do {
      let child = try bench.space.fork()
      var task = FaultTask()
      for page in base..<base + 32 { #expect(child.access(VirtualAddress(page: page), .write, by: &task) == nil) }
    }
    #expect(bench.machine.memory.usedFrames == frames)
    #expect(bench.machine.tables.liveTables == tables)
  }
}

@Suite struct RemapTests {
  private let base: UInt64 = 4096
  private let target: UInt64 = 1 << 20

  private func move(_ bench: Bench, _ pages: UInt64, to newPages: UInt64, at page: UInt64) throws {
    var task = FaultTask()
    try bench.space.mremap(
      VirtualAddress(page: base), length: pages << 12, newLength: newPages << 12,
      flags: page == base ? [] : [.mayMove, .fixed], newAddress: VirtualAddress(page: page), by: &task)
  }

  @Test func entriesMoveAlong() throws {
    let bench = try Bench(filePages: 64, resident: true)
    try bench.map(pages: 64, at: base)
    #expect(bench.read(base + 20) == nil)
    try move(bench, 64, to: 64, at: target)
    #expect(bench.presentPages(target..<target + 64) == Array(16...31))
    #expect(bench.space.mappedFilePages == 16)
    #expect(bench.read(base) == .segv(.mapErr))
    #expect(bench.read(target + 20) == nil)
    #expect(bench.minor == 1)
  }

  @Test func movedAreaShowsTheSameFilePagesWhenItGrows() throws {
    let bench = try Bench(filePages: 64, resident: true)
    try bench.map(pages: 8, at: base, filePage: 10)
    try move(bench, 8, to: 20, at: target)
    let filePage = bench.space.areas.area(covering: target + 19)?.filePage(of: target + 19)
    #expect(filePage == 29)
  }

  @Test func shrinkingUnmapsTheTailAndGrowingInPlaceNeedsRoom() throws {
    let bench = try Bench(filePages: 64, resident: true)
    try bench.map(pages: 32, at: base)
    #expect(bench.read(base + 31) == nil)
    try move(bench, 32, to: 8, at: base)
    #expect(bench.read(base + 31) == .segv(.mapErr))
    #expect(bench.space.mappedFilePages == 0)
    try move(bench, 8, to: 32, at: base)
    #expect(bench.read(base + 31) == nil)
    try bench.map(pages: 1, at: base + 40)
    #expect(throws: KernelError.self) { try move(bench, 32, to: 64, at: base) }
  }

  @Test func refusedMovesLeaveTheMappingAlone() throws {
    let bench = try Bench(filePages: 64, resident: true)
    try bench.map(pages: 8, at: base)
    for (pages, newPages, page) in [(8, 8, base + 4), (8, 0, target)]
      as [(UInt64, UInt64, UInt64)]
    {
      #expect(throws: KernelError.self) { try move(bench, pages, to: newPages, at: page) }
    }
    #expect(bench.read(base + 7) == nil)
  }
}

@Suite struct ResidentTests {
  @Test func pagesOfTheFileAreCachedWithoutBeingRead() throws {
    let bench = try Bench(filePages: 10)
    bench.node.makeResident(2..<1_000_000_000_000)
    #expect(bench.cachedPages() == Array(2...9))
    #expect(bench.node.pagesRead == 0)
    bench.node.makeResident(0..<4)
    #expect(bench.node.cachedPages == 10)
  }
}
