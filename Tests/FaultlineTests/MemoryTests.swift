import Testing

@testable import Faultline

@Suite struct MemoryTests {
  @Test func aFrameIsOneCacheLine() {
    #expect(MemoryLayout<Frame>.stride == 64)
    #expect(MemoryLayout<AtomicWord>.stride == 8)
  }

  @Test func foliosNeverOverlapAndMergeWhenFreed() throws {
    let memory = try PhysicalMemory(frameCount: 1 << 14, contents: .none)
    var random = SplitMix(seed: 3)
    var held: [Folio] = []
    var owner = [Int: Int](minimumCapacity: 1 << 14)
    for step in 0..<20_000 {
      if random.next() % 2 == 0, let folio = memory.allocate(order: random.next() % 10) {
        let first = Int(memory.number(of: folio.head).rawValue)
        #expect(first % Int(folio.pageCount) == 0)
        for frame in first..<first + Int(folio.pageCount) {
          #expect(owner.updateValue(step, forKey: frame) == nil)
        }
        held.append(folio)
      } else if !held.isEmpty {
        let folio = held.remove(at: Int(random.next() % UInt64(held.count)))
        let first = Int(memory.number(of: folio.head).rawValue)
        for frame in first..<first + Int(folio.pageCount) { owner[frame] = nil }
        folio.put(to: memory)
      }
    }
    for folio in held { folio.put(to: memory) }
    #expect(memory.usedFrames == 0)
    var whole = 0
    while memory.allocate(order: 9) != nil { whole += 1 }
    #expect(whole == 1 << 5, "everything merges back into folios of the largest order")
  }

  @Test func aFreedFolioGivesNoReference() throws {
    let memory = try PhysicalMemory(frameCount: 512, contents: .none)
    let folio = try #require(memory.allocate(order: 0))
    #expect(folio.tryGet())
    folio.put(2, to: memory)
    #expect(!folio.tryGet())
    #expect(!folio.tryGetAndLock())
  }

  @Test func memoryThatRunsOutSaysSo() throws {
    let memory = try PhysicalMemory(frameCount: 4, contents: .none)
    #expect(memory.allocate(order: 3) == nil)
    #expect(memory.allocate(order: 2) != nil)
    #expect(memory.allocate(order: 0) == nil)
  }
}
