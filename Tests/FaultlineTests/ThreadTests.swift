import FaultlineCheck
import Foundation
import Testing

@testable import Faultline

/// Everything at once, in both lock modes: real threads, and at the end every law holds and nothing is left over.
@Suite(.serialized) struct ThreadTests {
  @Test(arguments: LockMode.allCases, [1, 2] as [UInt64])
  func faultsBesideEveryChangeLeaveNothingBehind(_ mode: LockMode, seed: UInt64) throws {
    let machine = try storm(mode, seed: seed, cacheLimit: nil)
    expectNothing(leftIn: machine)
  }

  @Test(arguments: LockMode.allCases, [4, 5] as [UInt64])
  func soDoTheyWhileMemoryIsShort(_ mode: LockMode, seed: UInt64) throws {
    let machine = try storm(mode, seed: seed, cacheLimit: 64)
    #expect(machine.reclaimedPages > 0)
    expectNothing(leftIn: machine)
  }

  private func storm(_ mode: LockMode, seed: UInt64, cacheLimit: UInt64?) throws -> Machine {
    let stage = try ThreadStage(mode)
    stage.machine.cacheLimit = cacheLimit
    let done = DispatchSemaphore(value: 0)
    for (number, part) in ThreadStage.Part.allCases.enumerated() {
      let thread = Thread {
        var player = Player(stage, seed: seed &* 1_000 &+ UInt64(number))
        player.play(part)
        done.signal()
      }
      thread.start()
    }
    for _ in ThreadStage.Part.allCases { done.wait() }
    stage.machine.cacheLimit = nil
    let breaches = Invariants(machine: stage.machine).check()
    #expect(breaches.isEmpty, "\(breaches)")
    #expect(stage.freeUnderPin.load(ordering: .acquiring) == 0)
    return stage.machine
  }

  private func expectNothing(leftIn machine: Machine) {
    // The threads' own hold on the stage ends a little after their part.
    for _ in 0..<1_000 where machine.tables.liveTables > 0 { usleep(1_000) }
    machine.settle()
    #expect(machine.memory.usedFrames == 1)
    #expect(machine.tables.liveTables == 0)
    #expect(machine.nodes.liveNodes == 0)
  }

  @Test func aSharedCounterLosesNothingToWriteback() throws {
    let stage = try ThreadStage(.perVMA)
    let node = stage.node
    let done = DispatchSemaphore(value: 0)
    let writer = Thread {
      for _ in 0..<200 { try? node.writeBack() }
      done.signal()
    }
    writer.start()
    var task = FaultTask()
    let address = VirtualAddress(page: ThreadStage.shared + 3)
    for value in 1...2_000 as ClosedRange<UInt64> { #expect(stage.space.store(address, value, by: &task) == nil) }
    done.wait()
    #expect(try stage.space.load(address, by: &task).get() == 2_000)
  }

  /// Each child is a snapshot although its parent goes on storing: what it sees never changes.
  @Test(arguments: LockMode.allCases)
  func aChildSeesOneMomentOfItsParent(_ mode: LockMode) throws {
    let stage = try ThreadStage(mode)
    let space = stage.space
    let isOver = AtomicWord(0)
    let done = DispatchSemaphore(value: 0)
    let writer = Thread {
      var task = FaultTask()
      var value: UInt64 = 0
      while isOver.load(ordering: .acquiring) == 0 {
        value += 1
        for page in 0..<8 as Range<UInt64> {
          _ = space.store(VirtualAddress(page: ThreadStage.private + page), value, by: &task)
        }
      }
      done.signal()
    }
    writer.start()
    for _ in 0..<30 {
      let child = try space.fork()
      var task = FaultTask()
      func picture() throws -> [UInt64] {
        try (0..<8).map { try child.load(VirtualAddress(page: ThreadStage.private + $0), by: &task).get() }
      }
      let first = try picture()
      // The writer goes through the pages in order: the child's are of one round, or the first of it and the rest of the last.
      #expect(zip(first, first.dropFirst()).allSatisfy { $0 == $1 || $0 == $1 + 1 }, "\(first)")
      #expect(first[0] - first[7] <= 1, "\(first)")
      #expect(try picture() == first)
    }
    isOver.store(1, ordering: .releasing)
    done.wait()
  }
}
