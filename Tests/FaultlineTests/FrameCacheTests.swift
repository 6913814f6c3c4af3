import Foundation
import Testing

@testable import Faultline

/// Frames at hand: none is lost in a cache, and none keeps a larger block from being made.
@Suite struct FrameCacheTests {
  /// The frames that a program gets which takes and gives back single frames and blocks.
  private func framesOfOneSequence() throws -> [UInt64] {
    let memory = try PhysicalMemory(frameCount: 1 << 14, contents: .none)
    var random = SplitMix(seed: 11)
    var held: [Folio] = []
    var numbers: [UInt64] = []
    for _ in 0..<5_000 {
      if random.next() % 3 != 0, let folio = memory.allocate(order: random.next() % 8 == 0 ? 4 : 0) {
        numbers.append(memory.number(of: folio.head).rawValue)
        held.append(folio)
      } else if !held.isEmpty {
        held.remove(at: Int(random.next() % UInt64(held.count))).put(to: memory)
      }
    }
    return numbers
  }

  private func onOtherThread(_ body: @escaping @Sendable () -> Void) {
    let done = DispatchSemaphore(value: 0)
    Thread {
      body()
      done.signal()
    }.start()
    done.wait()
  }

  @Test func oneSequenceGivesTheSameFramesOnEveryThread() throws {
    let here = try framesOfOneSequence()
    let there = Numbers()
    onOtherThread { there.value = (try? self.framesOfOneSequence()) ?? [] }
    #expect(here == there.value)
  }

  @Test func cachedFramesMakeALargeBlockWhenOneIsWanted() throws {
    let memory = try PhysicalMemory(frameCount: 512, contents: .none)
    let singles = (0..<512).compactMap { _ in memory.allocate(order: 0) }
    #expect(singles.count == 512)
    for folio in singles { folio.put(to: memory) }
    let block = memory.allocate(order: 9)
    #expect(block != nil)
    #expect(memory.usedFrames == 512)
  }

  @Test func whatOtherThreadsKeepIsThereWhenMemoryIsShort() throws {
    let memory = try PhysicalMemory(frameCount: 512, contents: .none)
    for _ in 0..<3 {
      onOtherThread {
        let folios = (0..<512).compactMap { _ in memory.allocate(order: 0) }
        for folio in folios { folio.put(to: memory) }
      }
    }
    let folios = (0..<512).compactMap { _ in memory.allocate(order: 0) }
    #expect(Set(folios.map { memory.number(of: $0.head).rawValue }).count == 512)
    #expect(memory.allocate(order: 0) == nil)
  }

  @Test func aSpreadCounterLosesNothing() {
    let counter = SpreadCounter()
    let done = DispatchSemaphore(value: 0)
    for _ in 0..<4 {
      Thread {
        for _ in 0..<10_000 {
          counter.add(3)
          counter.subtract(1)
        }
        done.signal()
      }.start()
    }
    for _ in 0..<4 { done.wait() }
    #expect(counter.sum == 80_000)
    counter.destroy()
  }
}

/// `@unchecked Sendable`: written by one thread before another one that waited for it reads.
private final class Numbers: @unchecked Sendable {
  var value: [UInt64] = []
}
