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

extension VirtualAddress {
  func plus(_ pages: Int) -> VirtualAddress { VirtualAddress(page: page + UInt64(pages)) }
}
