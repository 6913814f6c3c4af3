import Testing

@testable import Faultline

@Suite struct AreaTests {
  @Test func theTreeAgreesWithAListUnderRandomMapsAndUnmaps() throws {
    let bench = try Bench(filePages: 1 << 16)
    var random = SplitMix(seed: 11)
    // What each page shows: the file page plus 1, or nothing.
    var model = [UInt64](repeating: 0, count: 4096)
    for _ in 0..<3_000 {
      let start = random.next() % 4000
      let count = random.next() % 60 + 1
      let filePage = random.next() % 4096
      if random.next() % 3 == 0 {
        try bench.space.munmap(VirtualAddress(page: 4096 + start), length: count << 12)
        for page in start..<min(4096, start + count) { model[Int(page)] = 0 }
      } else {
        try bench.map(pages: min(count, 4096 - start), at: 4096 + start, filePage: filePage)
        for page in start..<min(4096, start + count) { model[Int(page)] = filePage + (page - start) + 1 }
      }
    }
    for page in 0..<4096 as Range<UInt64> {
      let area = bench.space.areas.area(covering: 4096 + page)
      #expect((area.map { $0.filePage(of: 4096 + page) + 1 } ?? 0) == model[Int(page)])
    }
    var previousEnd: UInt64 = 0
    bench.space.areas.forEach { area in
      #expect(area.start >= previousEnd)
      #expect(area.end > area.start)
      previousEnd = area.end
    }
  }

  @Test func adviceSplitsAnAreaAndTakingItBackMergesIt() throws {
    let bench = try Bench(filePages: 64)
    try bench.map(pages: 64, at: 4096)
    func areaCount() -> Int {
      var count = 0
      bench.space.areas.forEach { _ in count += 1 }
      return count
    }
    let middle = VirtualAddress(page: 4096 + 10)
    try bench.space.madvise(middle, length: 10 << 12, .random, by: &bench.task)
    #expect(areaCount() == 3)
    try bench.space.madvise(middle, length: 10 << 12, .normal, by: &bench.task)
    #expect(areaCount() == 1)
  }

  @Test func everythingIsGivenBackAtTheEnd() throws {
    let machine = try Machine(frameCount: 1 << 16, contents: .bytes)
    let idleFrames = machine.memory.usedFrames
    do {
      let node = FileNode(machine: machine, traits: .ext4Journal, size: 200 << 12)
      let file = OpenFile(node: node, mode: .readWrite)
      let space = try AddressSpace(machine: machine)
      var task = FaultTask()
      let start = try space.mmap(
        length: 200 << 12, protection: [.read, .write], flags: .private, file: file, by: &task)
      var random = SplitMix(seed: 5)
      for _ in 0..<2_000 {
        let address = VirtualAddress(page: start.page + random.next() % 200)
        #expect(space.access(address, random.next() % 2 == 0 ? .read : .write, by: &task) == nil)
        if random.next() % 50 == 0 {
          try space.madvise(address, length: 4096, .dontNeed, by: &task)
        }
      }
      try space.munmap(VirtualAddress(page: start.page + 20), length: 100 << 12)
      node.truncate(to: 10 << 12)
      #expect(space.access(VirtualAddress(page: start.page + 15), .read, by: &task) == .bus(.adrErr))
    }
    #expect(machine.memory.usedFrames == idleFrames)
    #expect(machine.tables.liveTables == 0)
    #expect(machine.nodes.liveNodes == 0)
  }
}
