import Foundation
import Testing

@testable import Faultline

/// Everything at once, in both lock modes: real threads, and at the end nothing is left over.
@Suite(.serialized) struct ThreadTests {
  @Test(arguments: LockMode.allCases)
  func faultsBesideEveryChangeLeaveNothingBehind(mode: LockMode) throws {
    let machine = try storm(mode)
    // The threads' own hold on the stage ends a little after their part.
    for _ in 0..<1_000 where machine.tables.liveTables > 0 { usleep(1_000) }
    machine.settle()
    #expect(machine.memory.usedFrames == 1)
    #expect(machine.tables.liveTables == 0)
    #expect(machine.nodes.liveNodes == 0)
  }

  private func storm(_ mode: LockMode) throws -> Machine {
    let stage = try Stage(mode)
    let threads = (0..<4).map { number in
      Thread {
        stage.play(part: number)
        stage.done.signal()
      }
    }
    for thread in threads { thread.start() }
    for _ in threads { stage.done.wait() }
    return stage.machine
  }

  @Test func aSharedCounterLosesNothingToWriteback() throws {
    let stage = try Stage(.perVMA)
    let node = stage.node
    let writer = Thread {
      for _ in 0..<200 { try? node.writeBack() }
      stage.done.signal()
    }
    writer.start()
    var task = FaultTask()
    let address = VirtualAddress(page: Stage.shared + 3)
    for value in 1...2_000 as ClosedRange<UInt64> { #expect(stage.space.store(address, value, by: &task) == nil) }
    stage.done.wait()
    #expect(try stage.space.load(address, by: &task).get() == 2_000)
  }
}

/// One file, mapped shared and private, and what each thread does to it.
private final class Stage: @unchecked Sendable {
  static let shared: UInt64 = 1 << 20
  static let `private`: UInt64 = 1 << 21
  private static let pages: UInt64 = 256

  let machine: Machine
  let node: FileNode
  let file: OpenFile
  let space: AddressSpace
  let done = DispatchSemaphore(value: 0)

  init(_ mode: LockMode) throws {
    machine = try Machine(frameCount: 1 << 16, contents: .bytes)
    node = FileNode(machine: machine, traits: .ext4Journal, size: Self.pages << 12)
    file = OpenFile(node: node, mode: .readWrite)
    space = try AddressSpace(machine: machine, lockMode: mode)
    var task = FaultTask()
    for (page, flags) in [(Self.shared, MapFlags.shared), (Self.private, .private)] {
      try space.mmap(
        address: VirtualAddress(page: page), length: Self.pages << 12, protection: [.read, .write],
        flags: flags.union(.fixed), file: file, by: &task)
    }
  }

  /// Errors and signals are part of the play: what is mapped changes all the time.
  func play(part: Int) {
    var task = FaultTask()
    var random = SplitMix(seed: UInt64(part) &+ 1)
    for _ in 0..<(part < 2 ? 4_000 : 250) {
      let page = random.next() % Self.pages
      let address = VirtualAddress(page: (random.next() % 2 == 0 ? Self.shared : Self.private) + page)
      if part < 2 {
        if random.next() % 2 == 0 {
          _ = space.load(address, by: &task)
        } else {
          _ = space.store(address, page, by: &task)
        }
      } else {
        change(address, page, &random, &task)
      }
    }
  }

  private func change(
    _ address: VirtualAddress, _ page: UInt64, _ random: inout SplitMix, _ task: inout FaultTask
  ) {
    let length: UInt64 = 16 << 12
    switch random.next() % 8 {
    case 0: try? space.munmap(address, length: length)
    case 1:
      _ = try? space.mmap(
        address: address, length: length, protection: [.read, .write], flags: [.private, .fixed], file: file,
        offset: page << 12, by: &task)
    case 2: try? space.mprotect(address, length: length, random.next() % 2 == 0 ? .read : [.read, .write], by: &task)
    case 3: try? space.madvise(address, length: length, .dontNeed, by: &task)
    case 4: node.truncate(to: (random.next() % Self.pages) << 12)
    case 5: node.truncate(to: Self.pages << 12)
    case 6:
      try? node.writeBack()
      node.dropClean()
    default: _ = try? space.fork()
    }
  }
}
