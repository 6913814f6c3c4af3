import FaultlineFS
import Testing

@testable import Faultline

/// Pages that no device is asked for, and room that is set aside for pages to come.
@Suite struct HoleTests {
  @Test func aReadThatFindsAHoleDoesNotWaitForTheDataAroundIt() throws {
    let store = RAMStore()
    let machine = try Machine(rules: .linux6_18, frameCount: 4096, contents: .bytes)
    let node = FileNode(machine: machine, traits: .ext4Journal, store: store, size: 32 << 12)
    let file = OpenFile(node: node, mode: .readWrite)
    let bytes = [UInt8](repeating: 7, count: 8 << 12)
    try bytes.withUnsafeBytes { try file.write(at: 0, $0) }
    try node.writeBack()
    node.dropClean()
    let space = try AddressSpace(machine: machine)
    var task = FaultTask()
    let base = try space.mmap(
      address: VirtualAddress(page: 4096), length: 32 << 12, protection: .read, flags: [.shared, .fixed], file: file,
      by: &task)
    #expect(store.isHole(8) && !store.isHole(7))
    #expect(space.access(base.plus(8), .read, by: &task) == nil)
    #expect(!space.entry(ofPage: base.page + 7).isPresent, "still being read")
    #expect(space.entry(ofPage: base.page + 9).isPresent)
    #expect(space.access(base.plus(7), .read, by: &task) == nil)
    #expect(task.majorFaults == 1)
    #expect(task.minorFaults == 1)
  }

  @Test func roomThatIsNotThereIsRefusedAndLeavesNothing() throws {
    let machine = try Machine(rules: .linux6_18, frameCount: 64)
    let node = FileNode(machine: machine, traits: .tmpfs, size: 8 << 12)
    let file = OpenFile(node: node, mode: .readWrite)
    let used = machine.memory.usedFrames
    let failure = #expect(throws: KernelError.self) { try file.change(.allocate, offset: 0, length: 1000 << 12) }
    #expect(failure?.errno == .ENOSPC)
    #expect(machine.memory.usedFrames == used)
    #expect(node.size == 8 << 12)
    try file.change(.allocate, offset: 0, length: 8 << 12)
    #expect(node.cachedPages == 8)
    #expect(!node.isResident(3), "set aside, not read")
    try file.change(.allocate, offset: 0, length: 4 << 12)
    #expect(node.isResident(3) && !node.isResident(4))
  }
}
