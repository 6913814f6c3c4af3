import FaultlineCheck
import FaultlineFS
import Testing

@testable import Faultline

/// A write(2) that ends inside a folio of several pages, because the program's memory cannot be read any further.
@Suite struct PartlyReadTests {
  private let machine: Machine
  private let space: AddressSpace
  private let store = RAMStore()
  private let file: OpenFile
  private let source = VirtualAddress(page: 1 << 20)

  /// A file of 64 pages, each filled with 7, outside the cache; 16 pages of memory filled with 9, the tenth of them unreadable.
  init() throws {
    var task = FaultTask()
    machine = try Machine(frameCount: 4096, contents: .bytes)
    space = try AddressSpace(machine: machine)
    let node = FileNode(machine: machine, traits: .ext4(.linux6_18), store: store, size: 0)
    file = OpenFile(node: node, mode: .readWrite)
    let bytes = [UInt8](repeating: 7, count: 64 << 12)
    try bytes.withUnsafeBytes { try file.write(at: 0, $0) }
    try node.writeBack()
    node.dropClean()
    try space.mmap(
      address: source, length: 16 << 12, protection: [.read, .write], flags: [.private, .anonymous, .fixed], by: &task)
    for word in 0..<16 * 512 {
      _ = space.store(VirtualAddress(rawValue: source.rawValue + UInt64(word) * 8), 0x0909_0909_0909_0909, by: &task)
    }
    try space.mprotect(source.plus(9), length: 4096, [], by: &task)
  }

  private func write(at offset: UInt64 = 0) throws -> UInt64 {
    var task = FaultTask()
    return try space.write(file, at: offset, count: 16 << 12, from: source, by: &task)
  }

  private func firstByte(ofPage page: UInt64) throws -> UInt8 {
    var byte: UInt8 = 0
    try file.read(at: page << 12, count: 1) { _, _, bytes in
      if let bytes { byte = bytes.load(as: UInt8.self) }
    }
    return byte
  }

  private func violations() -> [String] { Invariants(machine: machine).check().map(\.description) }

  @Test func whatCouldBeReadIsWrittenAndTheFolioIsNotUpToDate() throws {
    #expect(try write() == 9 << 12)
    guard let reference = file.node.lookUp(3) else { throw KernelError(.ENOENT, "no folio") }
    #expect(reference.folio.pageCount == 16)
    #expect(!file.node.isResident(3) && reference.folio.isThere(8) && !reference.folio.isThere(9))
  }

  @Test func aReadOfPagesThatAreThereBringsNothingInAndOfOthersTheRest() throws {
    _ = try write()
    let read = file.node.pagesRead
    #expect(try firstByte(ofPage: 8) == 9)
    #expect(file.node.pagesRead == read)
    #expect(try firstByte(ofPage: 9) == 7)
    #expect(file.node.pagesRead == read + 7)
    #expect(try firstByte(ofPage: 0) == 9)
    #expect(file.node.isResident(0))
    #expect(violations() == [])
  }

  @Test func onlyPagesThatAreThereAreWrittenBack() throws {
    _ = try write()
    try file.node.writeBack()
    file.node.dropClean()
    for page: UInt64 in 0..<16 { #expect(try firstByte(ofPage: page) == (page < 9 ? 9 : 7), "page \(page)") }
    #expect(violations() == [])
  }

  @Test func aPageThatIsWrittenInPartIsReadFirst() throws {
    #expect(try write(at: 16 << 12 + 100) == 9 << 12)
    #expect(try firstByte(ofPage: 16) == 7)
    #expect(try firstByte(ofPage: 17) == 9)
    #expect(try firstByte(ofPage: 25) == 9)
    var last: UInt8 = 0
    try file.read(at: 25 << 12 + 100, count: 1) { _, _, bytes in
      if let bytes { last = bytes.load(as: UInt8.self) }
    }
    #expect(last == 7)
    #expect(violations() == [])
  }

  @Test func aMappingOfSuchAFolioShowsOldAndNew() throws {
    var task = FaultTask()
    _ = try write()
    let mapped = VirtualAddress(page: 1 << 21)
    try space.mmap(
      address: mapped, length: 64 << 12, protection: .read, flags: [.shared, .fixed], file: file, by: &task)
    #expect(space.load(mapped.plus(12), by: &task) == .success(0x0707_0707_0707_0707))
    #expect(space.load(mapped.plus(8), by: &task) == .success(0x0909_0909_0909_0909))
    #expect(violations() == [])
  }

  @Test func notesOfEarlierFoliosOnTheSameFramesSayNothing() throws {
    _ = try write()
    try file.node.writeBack()
    file.node.truncate(to: 0)
    file.node.truncate(to: 64 << 12)
    #expect(try write(at: 32 << 12) == 9 << 12)
    do {
      guard let reference = file.node.lookUp(32) else { throw KernelError(.ENOENT, "no folio") }
      #expect((32..<48).filter(reference.folio.isThere) == Array(32..<41))
    }
    #expect(violations() == [])
  }
}
