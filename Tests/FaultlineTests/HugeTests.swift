import Foundation
import Testing

@testable import Faultline

/// What is mapped 2 MiB at once, what is not, and what a refusal leaves: the review of seed 003, point by point.
@Suite struct HugeTests {
  private static let span = PageSize.entriesPerTable

  /// A file of two huge folios, written, in an address space of its own.
  private final class Stage {
    let machine: Machine
    let space: AddressSpace
    let file: OpenFile
    var task = FaultTask()
    /// A multiple of 2 MiB.
    let base: UInt64 = 1 << 20

    init(_ traits: FileTraits = .tmpfsHuge, pages: UInt64 = 2 * PageSize.entriesPerTable) throws {
      machine = try Machine(frameCount: 1 << 14, contents: .bytes)
      file = OpenFile(node: FileNode(machine: machine, traits: traits, size: 0), mode: .readWrite)
      space = try AddressSpace(machine: machine)
      let bytes = [UInt8](repeating: 7, count: Int(pages << 12))
      try bytes.withUnsafeBytes { try file.write(at: 0, $0) }
    }

    func map(at offset: UInt64 = 0, pages: UInt64 = 1024, _ flags: MapFlags = .shared) throws {
      try space.mmap(
        address: VirtualAddress(page: base + offset), length: pages << 12, protection: [.read, .write],
        flags: flags.union(.fixed), file: file, by: &task)
    }

    func mapPrivate(_ advice: Advice? = .hugePage) throws {
      let length = 2 * HugeTests.span << 12
      try space.mmap(
        address: VirtualAddress(page: base), length: length, protection: [.read, .write],
        flags: [.private, .anonymous, .fixed], file: nil, by: &task)
      if let advice { try space.madvise(VirtualAddress(page: base), length: length, advice, by: &task) }
    }

    @discardableResult
    func touch(_ page: UInt64, _ access: Access = .read) -> Signal? {
      space.access(VirtualAddress(page: base + page), access, by: &task)
    }

    func entry(_ page: UInt64) -> PageTableEntry { space.entry(ofPage: base + page) }

    func folio(_ index: UInt64) throws -> Folio {
      let found = XArray.folio(file.node.slots.load(index))
      return try #require(found)
    }

    func middle(_ page: UInt64) throws -> MiddleEntry { try #require(space.table.middle(forPage: base + page)) }
  }

  // MARK: The review of seed 003

  @Test func aRefusedFolioIsMappedByPagesAndNoReferenceIsLost() throws {
    let stage = try Stage()
    try stage.map(at: 3)
    stage.touch(3)
    #expect(!stage.entry(3).isHuge && stage.entry(3).isPresent)
    let folio = try stage.folio(0)
    #expect(folio.references == folio.pageCount + folio.totalMapCount)
    #expect(folio.hugeMapCount == 0)
  }

  @Test(.timeLimit(.minutes(1)))
  func reasonsToRefuseAreFoundWithoutTheTablesLock() throws {
    let stage = try Stage()
    try stage.map(at: 3)
    let middle = try #require(stage.space.table.allocateUpperTables(forPage: stage.base + 3))
    let found = stage.space.areas.area(covering: stage.base + 3)
    let area = try #require(found)
    let context = FaultContext(
      space: stage.space, area: area, page: stage.base + 3, flags: [], middle: middle, arriving: FaultTask.nothing)
    let lock = stage.space.table.lock(of: middle.table)
    lock.pointee.lock.lock()
    defer { lock.pointee.lock.unlock() }
    guard let reference = stage.file.node.lookUp(0) else { throw KernelError(.ENOENT, "no folio") }
    switch stage.space.mapHuge(reference, context) {
    case .mapped: Issue.record("mapped, though the area does not lie at a multiple of 2 MiB")
    case .refused(let reference, let reason):
      #expect(reason == .unsuitable)
      #expect(reference.folio.references == 1 + reference.folio.pageCount)
    }
    #expect(middle.isNone)
  }

  @Test(.timeLimit(.minutes(1)))
  func aTableThatIsThereIsSeenWithoutTheLockAboveIt() throws {
    let stage = try Stage()
    try stage.map(.private)
    stage.touch(5, .write)
    let middle = try stage.middle(0)
    #expect(middle.leaf != nil)
    let lock = stage.space.table.lock(of: middle.table)
    lock.pointee.lock.lock()
    defer { lock.pointee.lock.unlock() }
    #expect(stage.touch(6) == nil)
    #expect(stage.entry(6).isPresent)
  }

  @Test(arguments: [false, true])
  func aWindowOfShadowsEntersNoTable(isSeeded: Bool) throws {
    let stage = try Stage(.ext4(.linux6_18), pages: 3 * Self.span)
    try stage.map(pages: 3 * Self.span)
    try stage.space.madvise(VirtualAddress(page: stage.base), length: Self.span << 13, .hugePage, by: &stage.task)
    try stage.file.node.writeBack()
    stage.touch(0)
    try stage.space.madvise(VirtualAddress(page: stage.base), length: Self.span << 12, .pageOut, by: &stage.task)
    #expect(XArray.isValue(stage.file.node.slots.load(0)))
    try stage.space.munmap(VirtualAddress(page: stage.base), length: 3 * Self.span << 12)
    try stage.map(pages: 3 * Self.span)
    try stage.space.madvise(VirtualAddress(page: stage.base), length: Self.span << 13, .hugePage, by: &stage.task)
    #if DEBUG
      if isSeeded { stage.machine.switches.bugs = [.mapsValueHuge] }
      stage.touch(0)
      #expect(stage.entry(0).isHuge == !isSeeded)
    #endif
  }

  @Test(arguments: [false, true])
  func aLockedHugeFolioIsWaitedForAndThenMappedWhole(isSeeded: Bool) throws {
    let stage = try Stage()
    try stage.map()
    #if DEBUG
      if isSeeded { stage.machine.switches.bugs = [.entersTableForLockedFolio] }
    #endif
    let folio = try stage.folio(0)
    folio.lock()
    let done = DispatchSemaphore(value: 0)
    let space = stage.space
    let address = VirtualAddress(page: stage.base)
    Thread {
      var task = FaultTask()
      _ = space.access(address, .read, by: &task)
      done.signal()
    }.start()
    usleep(20_000)
    folio.unlock()
    done.wait()
    #expect(stage.entry(0).isHuge == !isSeeded)
  }

  @Test func everySymbolThatACommentNamesExists() throws {
    let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/Faultline")
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    let texts = try files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
      .map { try String(contentsOf: $0, encoding: .utf8) }
    let all = texts.joined(separator: "\n")
    for match in all.matches(of: /``([A-Za-z\/]+)/) {
      for name in match.1.split(separator: "/") {
        let exists = all.contains(try Regex("(func|var|let|case|struct|class|enum|protocol|typealias) `?\(name)"))
        #expect(exists, "a comment names \(match.1)")
      }
    }
  }

  // MARK: Splits

  @Test func aStoreToAPrivateMappingDropsTheHugeEntryAndCopiesOnePage() throws {
    let stage = try Stage()
    try stage.map(.private)
    stage.touch(9)
    #expect(stage.entry(9).isHuge)
    stage.touch(9, .write)
    #expect(stage.entry(9).isWritable && !stage.entry(9).isHuge)
    #expect(stage.entry(10).isNone)
    #expect(try stage.folio(0).totalMapCount == 0)
  }

  @Test func unmappingAPartOfPrivateMemorySplitsItAndKeepsTheRest() throws {
    let stage = try Stage()
    try stage.mapPrivate()
    #expect(stage.space.store(VirtualAddress(page: stage.base + 40), 12, by: &stage.task) == nil)
    #expect(stage.entry(40).isHuge && stage.space.mappedPrivatePages == Self.span)
    try stage.space.munmap(VirtualAddress(page: stage.base + 100), length: 3 << 12)
    #expect(!stage.entry(40).isHuge && stage.entry(40).isWritable)
    #expect(stage.space.mappedPrivatePages == Self.span - 3)
    #expect(try stage.space.load(VirtualAddress(page: stage.base + 40), by: &stage.task).get() == 12)
  }

  @Test func aLoadOfPrivateMemoryMapsTheHugePageOfZeroes() throws {
    let stage = try Stage()
    try stage.mapPrivate()
    stage.touch(1)
    #expect(stage.entry(1).isHuge && stage.entry(1).isSpecial && !stage.entry(1).isWritable)
    #expect(stage.space.mappedPrivatePages == 0)
    stage.touch(2, .write)
    #expect(stage.entry(1).isHuge && stage.entry(1).isWritable)
    #expect(stage.task.minorFaults == 2)
  }

  @Test func withoutAdvicePrivateMemoryStaysSmall() throws {
    let stage = try Stage()
    try stage.mapPrivate(nil)
    stage.touch(1, .write)
    #expect(!stage.entry(1).isHuge && stage.space.mappedPrivatePages == 1)
  }

  @Test func aForkSharesHugePrivateMemoryUntilOneStores() throws {
    let stage = try Stage()
    try stage.mapPrivate()
    _ = stage.space.store(VirtualAddress(page: stage.base + 4), 77, by: &stage.task)
    let child = try stage.space.fork()
    var task = FaultTask()
    #expect(child.entry(ofPage: stage.base + 4).isHuge)
    #expect(child.store(VirtualAddress(page: stage.base + 4), 78, by: &task) == nil)
    #expect(child.mappedPrivatePages == Self.span && !child.entry(ofPage: stage.base + 5).isHuge)
    #expect(try stage.space.load(VirtualAddress(page: stage.base + 4), by: &stage.task).get() == 77)
    #expect(stage.entry(4).isHuge)
  }

  // MARK: Collapse

  @Test func collapsingAFileInMemoryKeepsItsBytesAndMapsItHuge() throws {
    let stage = try Stage(.tmpfs)
    try stage.map()
    for page: UInt64 in 0..<40 { _ = stage.space.store(VirtualAddress(page: stage.base + page), page, by: &stage.task) }
    try stage.space.madvise(VirtualAddress(page: stage.base), length: Self.span << 12, .collapse, by: &stage.task)
    #expect(stage.entry(0).isHuge)
    #expect(try stage.folio(30).order == PhysicalMemory.pmdOrder)
    #expect(try stage.space.load(VirtualAddress(page: stage.base + 30), by: &stage.task).get() == 30)
    #expect(try stage.space.load(VirtualAddress(page: stage.base + 50), by: &stage.task).get() == 0x0707_0707_0707_0707)
    #expect(stage.file.node.cachedPages == 1024)
  }

  @Test func whatSomebodyHoldsIsNotCollapsed() throws {
    let stage = try Stage(.tmpfs)
    try stage.map()
    guard let held = stage.file.node.lookUp(17) else { throw KernelError(.ENOENT, "no folio") }
    #expect(throws: KernelError.self) {
      try stage.space.madvise(VirtualAddress(page: stage.base), length: Self.span << 12, .collapse, by: &stage.task)
    }
    #expect(held.folio.order == 0 && held.folio.references == 2)
    #expect(stage.touch(17) == nil)
  }

  @Test func collapsingPrivateMemoryKeepsItsBytes() throws {
    let stage = try Stage()
    try stage.mapPrivate(nil)
    for page: UInt64 in [0, 3, 511] {
      _ = stage.space.store(VirtualAddress(page: stage.base + page), page + 1, by: &stage.task)
    }
    try stage.space.madvise(VirtualAddress(page: stage.base), length: Self.span << 12, .collapse, by: &stage.task)
    #expect(stage.entry(0).isHuge && stage.space.mappedPrivatePages == Self.span)
    #expect(try stage.space.load(VirtualAddress(page: stage.base + 511), by: &stage.task).get() == 512)
    #expect(try stage.space.load(VirtualAddress(page: stage.base + 7), by: &stage.task).get() == 0)
  }
}
