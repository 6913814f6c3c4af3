import Testing

@testable import Faultline

/// An entry of many slots that is replaced by smaller ones.
@Suite struct XArraySplitTests {
  private let memory: XArrayMemory
  private let root = WordPointer.allocate(capacity: 1)
  private var array: XArray { XArray(root: root, memory: memory) }

  init() throws {
    memory = try XArrayMemory(capacity: 1 << 10, epochs: EpochDomain())
    root.initialize(to: AtomicWord(0))
  }

  /// An entry that looks like a folio's address.
  private func entry(_ number: UInt64) -> UInt64 { (number + 1) << 12 }

  @Test(arguments: [1, 3, 5, 6, 8, 9] as [UInt64], [nil, 0, 63, 64, 255, 511] as [UInt64?])
  func aSplitShowsEachPieceFromItsOwnSlotsAndInheritsMarks(order: UInt64, around offset: UInt64?) throws {
    let start: UInt64 = 3 << 9
    guard offset ?? 0 < 1 << order else { return }
    #expect(array.store(entry(0), at: start, order: order))
    array.setMark(.dirty, at: start, to: true)
    let parts = FolioSplit.parts(of: start, order: order, around: offset.map { start + $0 })
    #expect(parts.reduce(0) { $0 + (1 << $1.order) } == 1 << order)
    let nodes = try #require(array.nodesForSplit(order: order, into: parts))
    let pieces = parts.enumerated().map { number, part in
      XArray.Piece(index: part.index, order: part.order, entry: entry(UInt64(number)))
    }
    array.split(start, order: order, into: pieces, with: nodes)
    for piece in pieces {
      for index in piece.index..<piece.index + (1 << piece.order) {
        #expect(array.load(index) == piece.entry)
        #expect(array.isMarked(index, .dirty) && !array.isMarked(index, .writeback))
      }
    }
    #expect(array.load(start - 1) == 0 && array.load(start + (1 << order)) == 0)
    for piece in pieces { array.erase(piece.index) }
    #expect(memory.liveNodes == 0)
  }

  @Test func aSplitWithoutMemoryTakesNothing() throws {
    let small = try XArrayMemory(capacity: 6, epochs: EpochDomain())
    let root = WordPointer.allocate(capacity: 1)
    defer { root.deallocate() }
    root.initialize(to: AtomicWord(0))
    let array = XArray(root: root, memory: small)
    #expect(array.store(entry(0), at: 0, order: 9))
    let before = small.liveNodes
    #expect(array.nodesForSplit(order: 9, into: FolioSplit.parts(of: 0, order: 9, around: nil)) == nil)
    #expect(small.liveNodes == before && array.load(511) == entry(0))
  }
}
