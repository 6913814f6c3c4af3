import Testing

@testable import Faultline

@Suite struct ReclaimTests {
  private func limited(_ pages: UInt64, filePages: UInt64 = 1024) throws -> Bench {
    var rules = KernelRules.linux6_18
    rules.faultAroundBytes = PageSize.bytes
    let bench = try Bench(filePages: filePages, rules: rules)
    bench.machine.cacheLimit = pages
    try bench.map(pages: filePages, at: 4096, protection: [.read, .write])
    try bench.space.madvise(VirtualAddress(page: 4096), length: filePages << 12, .random, by: &bench.task)
    return bench
  }

  /// The pages of a window are locked while the later ones are made, and making one may want what is dirty written.
  @Test func writingForReclaimPassesOverWhatItsCallerHasLocked() throws {
    let bench = try limited(32)
    for page in 0..<32 as Range<UInt64> { #expect(bench.write(4096 + page) == nil) }
    try bench.space.madvise(VirtualAddress(page: 4096), length: 1024 << 12, .normal, by: &bench.task)
    #expect(bench.read(4096 + 500) == nil)
    #expect(bench.node.isCached(500))
  }

  @Test func theLimitHoldsAndWhatGoesIsUnmapped() throws {
    let bench = try limited(100)
    for page in 0..<300 as Range<UInt64> {
      #expect(bench.read(4096 + page) == nil)
      #expect(bench.node.cachedPages <= 100)
    }
    #expect(bench.machine.reclaimedPages >= 200)
    #expect(bench.space.mappedFilePages == bench.node.cachedPages)
    for page in bench.presentPages(4096..<5120) { #expect(bench.node.isCached(page)) }
  }

  @Test func dirtyPagesAreWrittenBeforeTheyGo() throws {
    let store = CountingStore()
    var rules = KernelRules.linux6_18
    rules.faultAroundBytes = PageSize.bytes
    let machine = try Machine(rules: rules, frameCount: 4096, contents: .bytes)
    let node = FileNode(machine: machine, traits: .ext4Journal, store: store, size: 200 << 12)
    let file = OpenFile(node: node, mode: .readWrite)
    let space = try AddressSpace(machine: machine)
    var task = FaultTask()
    machine.cacheLimit = 50
    let start = try space.mmap(length: 200 << 12, protection: [.read, .write], flags: .shared, file: file, by: &task)
    try space.madvise(start, length: 200 << 12, .random, by: &task)
    for page in 0..<200 as Range<UInt64> {
      let address = VirtualAddress(page: start.page + page)
      #expect(space.store(address, page + 1, by: &task) == nil)
    }
    #expect(node.cachedPages <= 50)
    for page in 0..<200 as Range<UInt64> {
      #expect(try space.load(VirtualAddress(page: start.page + page), by: &task).get() == page + 1)
    }
    #expect(store.writtenPages >= 150)
  }

  @Test func aPageThatWasUsedTwiceOutlivesThoseThatWereNot() throws {
    let bench = try limited(64)
    #expect(bench.read(4096) == nil)
    bench.useTwice(0)
    for page in 1..<400 as Range<UInt64> {
      #expect(bench.read(4096 + page) == nil)
      #expect(bench.node.isCached(0))
    }
    #expect(!bench.node.isCached(1))
  }

  @Test func aPageThatComesBackSoonIsActiveAtOnce() throws {
    let bench = try limited(64)
    for page in 0..<20 as Range<UInt64> {
      #expect(bench.read(4096 + page) == nil)
      bench.useTwice(page)
    }
    #expect(bench.machine.lists.activePages == 20)
    for page in 100..<150 as Range<UInt64> { #expect(bench.read(4096 + page) == nil) }
    let gone = try #require((100..<150).last { !bench.node.isCached($0) })
    #expect(bench.read(4096 + gone) == nil)
    #expect(bench.machine.refaultedPages == 1)
    let back = try #require(XArray.folio(bench.node.slots.load(gone)))
    #expect(back.contains(.active))
  }

  @Test func lockedMemoryAndHeldFoliosStay() throws {
    let bench = try limited(64)
    #expect(bench.read(4096 + 500) == nil)
    let held = try #require(XArray.folio(bench.node.slots.load(500)))
    held.get()
    for page in 0..<200 as Range<UInt64> { #expect(bench.read(4096 + page) == nil) }
    #expect(bench.node.isCached(500))
    #expect(held.references == 2, "the slot's and this one")
    held.put(to: bench.machine.memory)
  }

  @Test func aShadowIsNoFolioAndGoesWithItsFile() throws {
    let shadow = Shadow(age: 12345, wasWorkingset: true)
    #expect(Shadow(entry: shadow.entry) == shadow)
    #expect(XArray.folio(shadow.entry) == nil)
    let machine = try evictedMachine()
    #expect(machine.nodes.liveNodes == 0)
    #expect(machine.memory.usedFrames == 1)
  }

  private func evictedMachine() throws -> Machine {
    let bench = try limited(16)
    for page in 0..<100 as Range<UInt64> { #expect(bench.read(4096 + page) == nil) }
    #expect(bench.machine.reclaimedPages > 50)
    return bench.machine
  }
}

extension Bench {
  /// Uses a page as two reads of it would.
  fileprivate func useTwice(_ page: UInt64) {
    guard let reference = node.lookUp(page) else { return }
    machine.markAccessed(reference.folio)
    machine.markAccessed(reference.folio)
  }
}

/// Remembers what was written.
final class CountingStore: BackingStore, @unchecked Sendable {
  // Only one thread uses it in these tests.
  private var pages: [UInt64: [UInt8]] = [:]
  private(set) var writtenPages = 0

  func read(firstPage: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StoreError) {
    for (offset, start) in stride(from: 0, to: buffer.count, by: 4096).enumerated() {
      let page = pages[firstPage + UInt64(offset)] ?? [UInt8](repeating: 0, count: 4096)
      for byte in 0..<4096 { buffer[start + byte] = page[byte] }
    }
  }

  func write(firstPage: UInt64, from buffer: UnsafeRawBufferPointer) throws(StoreError) {
    for (offset, start) in stride(from: 0, to: buffer.count, by: 4096).enumerated() {
      pages[firstPage + UInt64(offset)] = Array(buffer[start..<start + 4096])
      writtenPages += 1
    }
  }
}
