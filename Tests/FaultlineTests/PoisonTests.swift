import FaultlineCheck
import FaultlineFS
import Testing

@testable import Faultline

@Suite struct PoisonTests {
  private let machine: Machine
  private let space: AddressSpace
  private let store = RAMStore()
  private let file: OpenFile

  init() throws {
    machine = try Machine(frameCount: 4096, contents: .bytes)
    space = try AddressSpace(machine: machine)
    let node = FileNode(machine: machine, traits: .ext4Journal, store: store, size: 32 << 12)
    file = OpenFile(node: node, mode: .readWrite)
  }

  private func map(_ file: OpenFile?, _ flags: MapFlags = .shared) throws -> VirtualAddress {
    var task = FaultTask()
    return try space.mmap(
      length: 32 << 12, protection: [.read, .write], flags: file == nil ? [flags, .anonymous] : flags, file: file,
      by: &task)
  }

  private func violations() -> [String] { Invariants(machine: machine).check().map(\.description) }

  @Test func aCleanPageIsReadAgainAndNobodyIsTold() throws {
    var task = FaultTask()
    let base = try map(file)
    #expect(space.access(base, .read, by: &task) == nil)
    let read = file.node.pagesRead
    #expect(file.node.poison(page: 0) == .dropped)
    #expect(space.access(base, .read, by: &task) == nil)
    #expect(file.node.pagesRead > read)
    #expect(machine.poisonedFrames == 1)
    #expect(violations() == [])
  }

  @Test func aDirtyPageIsLostAndItsMappersGetASignal() throws {
    var task = FaultTask()
    let base = try map(file)
    let copy = try map(file, .private)
    #expect(space.store(base, 7, by: &task) == nil)
    #expect(space.store(copy, 9, by: &task) == nil)
    #expect(space.poison(base) == .lost)
    #expect(file.node.poison(page: 0) == .unused, "the page has left the cache")
    #expect(space.access(base, .read, by: &task) == .bus(.mceErrAR))
    #expect(space.access(base, .write, by: &task) == .bus(.mceErrAR))
    #expect(space.load(copy, by: &task) == .success(9), "a private copy is memory of its own")
    #expect(throws: StoreError.self) { try file.node.writeBack() }
    #expect(throws: Never.self) { try file.node.writeBack() }
    #expect(violations() == [])
  }

  @Test func whatWasLostComesBackFromTheStoreOnceItsEntryIsDiscarded() throws {
    var task = FaultTask()
    let base = try map(file)
    #expect(space.store(base, 7, by: &task) == nil)
    try file.node.writeBack()
    #expect(space.store(base, 8, by: &task) == nil)
    #expect(file.node.poison(page: 0) == .lost)
    try space.madvise(base, length: 4096, .dontNeed, by: &task)
    #expect(space.load(base, by: &task) == .success(7))
    #expect(violations() == [])
  }

  @Test func aFileInMemoryKeepsThePageUntilItIsTruncated() throws {
    var task = FaultTask()
    let memory = OpenFile(node: FileNode(machine: machine, traits: .tmpfs, size: 32 << 12), mode: .readWrite)
    let base = try map(memory)
    for page in 0..<20 { #expect(space.store(base.plus(page), 5, by: &task) == nil) }
    try space.madvise(base, length: 32 << 12, .dontNeed, by: &task)
    #expect(memory.node.poison(page: 3) == .lost)
    #expect(memory.node.poison(page: 3) == .known)
    #expect(space.access(base, .read, by: &task) == nil)
    #expect(!space.entry(ofPage: base.page + 3).isPresent, "going around passes it over")
    #expect(space.entry(ofPage: base.page + 4).isPresent)
    #expect(space.access(base.plus(3), .read, by: &task) == .bus(.mceErrAR))
    #expect(try memory.read(at: 0, count: 32 << 12) { _, _, _ in } == 3 << 12)
    let failure = #expect(throws: KernelError.self) { try memory.read(at: 3 << 12, count: 8) { _, _, _ in } }
    #expect(failure?.errno == .EIO)
    memory.node.truncate(to: 0)
    memory.node.truncate(to: 32 << 12)
    #expect(space.load(base.plus(3), by: &task) == .success(0))
    #expect(violations() == [])
  }

  @Test func privateMemoryIsLostForEverybodyWhoSharesIt() throws {
    var task = FaultTask()
    let base = try map(nil, .private)
    #expect(space.store(base, 1, by: &task) == nil)
    let child = try space.fork()
    #expect(space.poison(base) == .lost)
    #expect(space.access(base, .read, by: &task) == .bus(.mceErrAR))
    #expect(child.access(base, .read, by: &task) == .bus(.mceErrAR))
    #expect(violations() == [])
  }

  @Test func aFrameThatFailedIsNeverHandedOutAgain() throws {
    var task = FaultTask()
    let base = try map(nil, .private)
    #expect(space.store(base, 1, by: &task) == nil)
    let frame = space.entry(ofPage: base.page).frame
    space.poison(base)
    try space.munmap(base, length: 32 << 12)
    let again = try map(nil, .private)
    for page in 0..<32 {
      #expect(space.store(again.plus(page), 1, by: &task) == nil)
      #expect(space.entry(ofPage: again.page + UInt64(page)).frame != frame)
    }
    #expect(violations() == [])
  }
}

/// A page that fails in the middle of 2 MiB that one entry maps.
@Suite struct HugePoisonTests {
  private static let span = PageSize.entriesPerTable
  private let machine: Machine
  private let space: AddressSpace
  /// A multiple of 2 MiB.
  private let base = VirtualAddress(page: 1 << 20)

  init() throws {
    machine = try Machine(frameCount: 1 << 13, contents: .bytes)
    space = try AddressSpace(machine: machine)
  }

  /// A file of one huge folio, written, and back in its store where it has one.
  private func hugeFile(_ traits: FileTraits) throws -> OpenFile {
    let store = traits.isMemoryOnly ? nil : RAMStore()
    let file = OpenFile(node: FileNode(machine: machine, traits: traits, store: store, size: 0), mode: .readWrite)
    let bytes = [UInt8](repeating: 7, count: Int(Self.span << 12))
    try bytes.withUnsafeBytes { try file.write(at: 0, $0) }
    try file.node.writeBack()
    return file
  }

  private func map(_ file: OpenFile?, in space: AddressSpace? = nil) throws {
    var task = FaultTask()
    let space = space ?? self.space
    try space.mmap(
      address: base, length: Self.span << 12, protection: [.read, .write],
      flags: file == nil ? [.private, .anonymous, .fixed] : [.shared, .fixed], file: file, by: &task)
    if file == nil { try space.madvise(base, length: Self.span << 12, .hugePage, by: &task) }
  }

  private func expectTheOthers(_ value: UInt64, but failed: Int, in space: AddressSpace? = nil) {
    var task = FaultTask()
    for page in 0..<Int(Self.span) where page != failed {
      #expect((space ?? self.space).load(base.plus(page), by: &task) == .success(value), "page \(page)")
    }
  }

  private func violations() -> [String] { Invariants(machine: machine).check().map(\.description) }

  @Test func aFileInMemoryLosesOnePageAndItsNeighboursAreMappedByPages() throws {
    var task = FaultTask()
    let file = try hugeFile(.tmpfsHuge)
    let other = try AddressSpace(machine: machine)
    try map(file)
    try map(file, in: other)
    for space in [space, other] {
      #expect(space.access(base, .read, by: &task) == nil)
      #expect(space.entry(ofPage: base.page).isHuge)
    }
    #expect(space.poison(base.plus(300)) == .lost)
    for space in [space, other] {
      #expect(space.entry(ofPage: base.page + 300) == .poisonMarker)
      #expect(space.access(base.plus(300), .read, by: &task) == .bus(.mceErrAR))
      expectTheOthers(0x0707_0707_0707_0707, but: 300, in: space)
      #expect(space.mappedFilePages == Self.span - 1)
    }
    #expect(file.node.lookUp(300)?.folio.order == 0 && file.node.lookUp(0)?.folio.order == 8)
    #expect(machine.poisonedFrames == 1)
    #expect(file.node.poison(page: 300) == .known)
    #expect(violations() == [])
  }

  @Test func aCleanPageOfADeviceIsReadAgainAndNobodyIsTold() throws {
    var task = FaultTask()
    let file = try hugeFile(.ext4(.linux6_18))
    try map(file)
    #expect(space.access(base, .read, by: &task) == nil)
    #expect(space.entry(ofPage: base.page).isHuge)
    #expect(file.node.poison(page: 0) == .dropped)
    #expect(space.load(base, by: &task) == .success(0x0707_0707_0707_0707))
    expectTheOthers(0x0707_0707_0707_0707, but: 0)
    #expect(machine.poisonedFrames == 1)
    #expect(violations() == [])
  }

  @Test func aDirtyFolioThatCannotBeSplitStaysAndEndsAccessesToOnePage() throws {
    var task = FaultTask()
    let file = try hugeFile(.ext4(.linux6_18))
    try map(file)
    #expect(space.store(base.plus(9), 7, by: &task) == nil)
    #expect(space.poison(base.plus(9)) == .lost)
    #expect(space.access(base.plus(9), .read, by: &task) == .bus(.mceErrAR))
    #expect(space.access(base.plus(9), .write, by: &task) == .bus(.mceErrAR))
    expectTheOthers(0x0707_0707_0707_0707, but: 9)
    #expect(!space.entry(ofPage: base.page).isHuge, "a folio with a page that failed is not mapped whole")
    #expect(file.node.poison(page: 10) == .lost)
    #expect(space.access(base.plus(10), .read, by: &task) == .bus(.mceErrAR))
    #expect(violations() == [])
    file.node.truncate(to: 0)
    #expect(violations() == [])
  }

  @Test func aFolioThatSomebodyHoldsIsNotSplitAndFailsInOnePageOnly() throws {
    var task = FaultTask()
    let file = try hugeFile(.tmpfsHuge)
    try map(file)
    #expect(space.access(base, .read, by: &task) == nil)
    do {
      guard let held = file.node.lookUp(0) else { throw KernelError(.ENOENT, "no folio") }
      #expect(file.node.poison(page: 5) == .lost)
      #expect(held.folio.order == PhysicalMemory.pmdOrder)
    }
    #expect(space.access(base.plus(5), .read, by: &task) == .bus(.mceErrAR))
    expectTheOthers(0x0707_0707_0707_0707, but: 5)
    #expect(violations() == [])
  }

  @Test func privateMemoryLosesOnePageForEverybodyWhoSharesIt() throws {
    var task = FaultTask()
    try map(nil)
    for page in 0..<Int(Self.span) { #expect(space.store(base.plus(page), 3, by: &task) == nil) }
    #expect(space.entry(ofPage: base.page).isHuge)
    let child = try space.fork()
    #expect(space.poison(base.plus(40)) == .lost)
    for space in [space, child] {
      #expect(space.access(base.plus(40), .read, by: &task) == .bus(.mceErrAR))
      expectTheOthers(3, but: 40, in: space)
      #expect(space.mappedPrivatePages == Self.span - 1)
    }
    #expect(child.store(base.plus(41), 4, by: &task) == nil)
    #expect(space.load(base.plus(41), by: &task) == .success(3))
    #expect(violations() == [])
  }
}

extension VirtualAddress {
  func plus(_ pages: Int) -> VirtualAddress { VirtualAddress(page: page + UInt64(pages)) }
}
