import Testing

@testable import Faultline

/// The slots against a dictionary: after any sequence of stores and erasures both say the same.
@Suite struct XArrayTests {
  private let memory: XArrayMemory
  private let root = WordPointer.allocate(capacity: 1)
  private var array: XArray { XArray(root: root, memory: memory) }

  init() throws {
    memory = try XArrayMemory(capacity: 1 << 16, epochs: EpochDomain())
    root.initialize(to: AtomicWord(0))
  }

  /// An entry that looks like a folio's address.
  private func entry(_ number: UInt64) -> UInt64 { (number + 1) << 12 }

  private func value(_ number: UInt64) -> UInt64 { number << 1 | 1 }

  @Test func agreesWithADictionaryUnderRandomStoresAndErasures() {
    var model: [UInt64: UInt64] = [:]
    var random = SplitMix(seed: 7)
    for step in 0..<40_000 as Range<UInt64> {
      let index = random.next() % (step % 3 == 0 ? 1 << 30 : 4096)
      if random.next() % 3 == 0 {
        array.erase(index)
        model[index] = nil
      } else if model[index] == nil {
        #expect(array.store(entry(step), at: index, order: 0))
        model[index] = entry(step)
      }
    }
    for (index, value) in model { #expect(array.load(index) == value) }
    var found = 0
    var next: UInt64 = 0
    while let (index, value) = array.first(from: next, through: .max - 1) {
      #expect(model[index] == value)
      found += 1
      next = index + 1
    }
    #expect(found == model.count)
    for index in model.keys { array.erase(index) }
    #expect(memory.liveNodes == 0)
  }

  @Test(arguments: [1, 2, 5, 6, 7, 9] as [UInt64])
  func anEntryOfAnyOrderIsSeenFromEachOfItsSlots(order: UInt64) {
    let start: UInt64 = 3 << 9
    #expect(array.store(entry(1), at: start, order: order))
    for index in start..<start + (1 << order) { #expect(array.load(index) == entry(1)) }
    #expect(array.load(start - 1) == 0)
    #expect(array.load(start + (1 << order)) == 0)
    let mayOverlap = array.store(entry(2), at: start + (1 << order) - 1, order: 0)
    #expect(!mayOverlap)
    array.setMark(.dirty, at: start + 1, to: true)
    #expect(array.isMarked(start, .dirty))
    array.erase(start + (1 << order) - 1)
    #expect(array.load(start) == 0)
    #expect(memory.liveNodes == 0)
  }

  @Test func neighboursOfALargeEntryAreFoundInOrder() {
    #expect(array.store(entry(1), at: 5, order: 0))
    #expect(array.store(entry(2), at: 512, order: 9))
    #expect(array.store(entry(3), at: 1024, order: 0))
    #expect(array.first(from: 6, through: 4096)?.entry == entry(2))
    #expect(array.first(from: 1024, through: 4096)?.index == 1024)
    #expect(array.first(from: 1025, through: 4096) == nil)
  }

  @Test func anEntryTakesThePlaceOfSmallerValues() {
    for index in 512..<700 as Range<UInt64> { #expect(array.store(value(index), at: index, order: 0)) }
    #expect(array.store(entry(9), at: 512, order: 9))
    #expect(array.load(1023) == entry(9) && array.load(600) == entry(9))
    array.erase(600)
    #expect(array.load(512) == 0)
  }

  @Test func aFolioAmongSmallerValuesKeepsALargerOneOut() {
    #expect(array.store(value(1), at: 512, order: 0))
    #expect(array.store(entry(2), at: 513, order: 0))
    #expect(!array.store(entry(9), at: 512, order: 9))
    #expect(array.load(512) == value(1) && array.load(513) == entry(2))
  }

  @Test func aLargerValueStaysAroundASmallerEntry() {
    #expect(array.store(value(4), at: 512, order: 9))
    #expect(array.store(entry(1), at: 700, order: 2))
    #expect(array.load(703) == entry(1))
    #expect(array.load(699) == value(4) && array.load(704) == value(4) && array.load(1023) == value(4))
  }

  @Test func aWalkOverSinglePagesFindsTheGapWhereItIs() {
    for index in 0..<100 as Range<UInt64> { #expect(array.store(entry(index), at: index, order: 0)) }
    var up = XArrayWalk(array, at: 50)
    while up.next() != 0 {}
    #expect(up.index == 100)
    var down = XArrayWalk(array, at: 50)
    while down.previous() != 0 {}
    #expect(down.index == .max)
  }

  @Test func aWalkThatBeginsInsideALargeEntryFindsTheGapBehindItTooLate() {
    #expect(array.store(entry(1), at: 64, order: 4))
    var exact = XArrayWalk(array, at: 64)
    while exact.next() != 0 {}
    #expect(exact.index == 80)
    var late = XArrayWalk(array, at: 69)
    while late.next() != 0 {}
    #expect(late.index == 85)
  }

  @Test func aWalkThatIsBehindFallsInStepInTheNextNode() {
    #expect(array.store(entry(1), at: 48, order: 4))
    #expect(array.store(entry(2), at: 64, order: 4))
    var walk = XArrayWalk(array, at: 51)
    while walk.next() != 0 {}
    #expect(walk.index == 80)
  }

  @Test func aWalkDownFromInsideALargeEntryMissesTheGapBelowIt() {
    #expect(array.store(entry(1), at: 32, order: 0))
    #expect(array.store(entry(2), at: 80, order: 4))
    var exact = XArrayWalk(array, at: 80)
    while exact.previous() != 0 {}
    #expect(exact.index == 79)
    var early = XArrayWalk(array, at: 85)
    while early.previous() != 0 {}
    #expect(early.index == 84)
  }
}

/// A small seeded generator: the same numbers on every run.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
