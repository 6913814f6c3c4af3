import FaultlineFS
import Testing

@testable import Faultline

/// A store that cannot read: the fault ends in a signal only after the last attempt, the one that keeps the lock.
@Suite struct ReadErrorTests {
  private let store = RAMStore()

  private func bench(_ rules: KernelRules) throws -> (space: AddressSpace, file: OpenFile, base: VirtualAddress) {
    let machine = try Machine(rules: rules, frameCount: 4096, contents: .bytes)
    let space = try AddressSpace(machine: machine)
    let node = FileNode(machine: machine, traits: .ext4Journal, store: store, size: 64 << 12)
    let file = OpenFile(node: node, mode: .readWrite)
    var task = FaultTask()
    let base = try space.mmap(length: 64 << 12, protection: .read, flags: .shared, file: file, by: &task)
    return (space, file, base)
  }

  @Test func aMissingPageIsReadAheadThenAloneThenOnceMore() throws {
    let (space, _, base) = try bench(.linux6_18)
    store.failReads(of: 5..<6)
    var task = FaultTask()
    #expect(space.access(base.plus(5), .read, by: &task) == .bus(.adrErr))
    #expect(store.failedReads(of: 5) == 3)
    #expect(task.minorFaults + task.majorFaults == 0, "what ends in a signal is not counted")
  }

  @Test func aPageThatIsThereButWasNeverReadIsTriedUnderEachLock() throws {
    let (space, _, base) = try bench(.linux6_18)
    store.failReads(of: 5..<6)
    var task = FaultTask()
    #expect(space.access(base, .read, by: &task) == nil)
    let before = store.failedReads(of: 5)
    #expect(space.access(base.plus(5), .read, by: &task) == .bus(.adrErr))
    #expect(store.failedReads(of: 5) - before == 3)
  }

  @Test func withoutTheAreasLockThereIsOneAttemptFewer() throws {
    let (space, _, base) = try bench(.linux6_1)
    store.failReads(of: 5..<6)
    var task = FaultTask()
    #expect(space.access(base, .read, by: &task) == nil)
    let before = store.failedReads(of: 5)
    #expect(space.access(base.plus(5), .read, by: &task) == .bus(.adrErr))
    #expect(store.failedReads(of: 5) - before == 2)
  }

  @Test func aPageThatCanBeReadLaterIsThereLater() throws {
    let (space, _, base) = try bench(.linux6_18)
    store.failReads(of: 0..<64)
    var task = FaultTask()
    #expect(space.access(base.plus(9), .read, by: &task) == .bus(.adrErr))
    store.failReads(of: nil)
    #expect(space.access(base.plus(9), .read, by: &task) == nil)
    #expect(task.minorFaults + task.majorFaults == 1)
  }

  @Test func neighboursOfABadPageAreMapped() throws {
    let (space, _, base) = try bench(.linux6_18)
    store.failReads(of: 5..<6)
    var task = FaultTask()
    #expect(space.access(base.plus(4), .read, by: &task) == nil)
    #expect(space.entry(ofPage: base.page + 6).isPresent)
    #expect(!space.entry(ofPage: base.page + 5).isPresent)
  }

  @Test func aReadThatFailsIsAnError() throws {
    let (_, file, _) = try bench(.linux6_18)
    store.failReads(of: 0..<1)
    let failure = #expect(throws: KernelError.self) { try file.read(at: 0, count: 8) { _, _, _ in } }
    #expect(failure?.errno == .EIO)
  }

  @Test func writesThatFailLeaveThePageDirty() throws {
    let (_, file, _) = try bench(.linux6_18)
    store.failWrites(of: 2..<3)
    let bytes = [UInt8](repeating: 7, count: 4 * 4096)
    try bytes.withUnsafeBytes { try file.write(at: 0, $0) }
    #expect(throws: StoreError.self) { try file.node.writeBack() }
    store.failWrites(of: nil)
    try file.node.writeBack()
    file.node.dropClean()
    var read: [UInt8] = []
    try file.read(at: 2 * 4096, count: 4096) { read += UnsafeRawBufferPointer(start: $2, count: Int($1)) }
    #expect(read == [UInt8](repeating: 7, count: 4096))
  }
}
