import Faultline

/// Which blocks are in use: the bitmap as it lies on the device, and beside it the blocks that are free there and may not be
/// used yet. A block that is given up stays busy until a crash can no longer bring back what referred to it.
struct BlockAllocator {
  private static let wordsPerBlock = Int(Geometry.bitsPerBitmapBlock / 64)

  private let data: Range<UInt64>
  private var used: [UInt64]
  private var busy: [UInt64]
  private var isChanged: [Bool]
  /// Blocks that can be had now.
  private(set) var freeCount: UInt64 = 0
  /// Blocks that are given up and busy.
  private(set) var busyCount: UInt64 = 0

  /// Everything outside the data area is in use.
  init(_ geometry: Geometry) {
    data = geometry.data
    let words = Int(geometry.bitmapCount) * BlockAllocator.wordsPerBlock
    used = Array(repeating: ~0, count: words)
    busy = Array(repeating: 0, count: words)
    isChanged = Array(repeating: true, count: Int(geometry.bitmapCount))
    fill(data, with: false, in: &used)
    freeCount = UInt64(data.count)
  }

  /// Takes over a block of the bitmap; blocks outside the data area stay in use whatever it says.
  mutating func load(_ bytes: UnsafeRawPointer, index: Int) {
    let first = index * BlockAllocator.wordsPerBlock
    for word in 0..<BlockAllocator.wordsPerBlock {
      used[first + word] |= bytes.number(BlockKind.headerBytes + word * 8, as: UInt64.self)
    }
    isChanged[index] = false
  }

  /// Counts again what is free, after blocks of the bitmap were taken over.
  mutating func recount() {
    freeCount = used.reduce(0) { $0 + UInt64((~$1).nonzeroBitCount) }
  }

  var hasChanges: Bool { isChanged.contains(true) }
  var changedBlocks: [Int] { isChanged.indices.filter { isChanged[$0] } }

  mutating func freeze(_ index: Int, at number: UInt64, transaction: UInt64) -> FrozenBlock {
    let block = RawBlock()
    let first = index * BlockAllocator.wordsPerBlock
    // The words lie in memory as on the device: every host of this package is little-endian.
    used[first..<first + BlockAllocator.wordsPerBlock].withUnsafeBytes {
      (block.bytes + BlockKind.headerBytes).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
    }
    BlockKind.bitmap.seal(block.bytes, number: number, transaction: transaction, owner: 0)
    isChanged[index] = false
    return FrozenBlock(number: number, content: block)
  }

  func isUsed(_ block: UInt64) -> Bool { used[Int(block >> 6)] >> (block & 63) & 1 != 0 }

  /// Takes blocks that a search has found.
  mutating func take(_ blocks: Range<UInt64>) {
    change(blocks, to: true)
    freeCount &-= UInt64(blocks.count)
  }

  /// Gives back blocks that nothing on the device has ever referred to.
  mutating func putBack(_ blocks: Range<UInt64>) {
    change(blocks, to: false)
    freeCount &+= UInt64(blocks.count)
  }

  /// Gives up blocks; they stay busy.
  mutating func giveUp(_ blocks: Range<UInt64>) {
    fill(blocks, with: true, in: &busy)
    change(blocks, to: false)
    busyCount &+= UInt64(blocks.count)
  }

  /// Blocks that were given up may be used again.
  mutating func release(_ blocks: Range<UInt64>) {
    fill(blocks, with: false, in: &busy)
    busyCount &-= UInt64(blocks.count)
    freeCount &+= UInt64(blocks.count)
  }

  private mutating func change(_ blocks: Range<UInt64>, to value: Bool) {
    guard !blocks.isEmpty else { return }
    fill(blocks, with: value, in: &used)
    let first = Int(blocks.lowerBound / Geometry.bitsPerBitmapBlock)
    let last = Int((blocks.upperBound - 1) / Geometry.bitsPerBitmapBlock)
    for index in first...last { isChanged[index] = true }
  }

  private func fill(_ blocks: Range<UInt64>, with value: Bool, in words: inout [UInt64]) {
    var at = blocks.lowerBound
    while at < blocks.upperBound {
      let bit = at & 63
      let count = min(64 - bit, blocks.upperBound - at)
      let mask = (count == 64 ? UInt64.max : (UInt64(1) << count) - 1) << bit
      if value { words[Int(at >> 6)] |= mask } else { words[Int(at >> 6)] &= ~mask }
      at += count
    }
  }

  /// The first block from `start` on whose state is wanted, or `end`.
  private func next(from start: UInt64, to end: UInt64, free: Bool) -> UInt64 {
    var at = start
    while at < end {
      let taken = used[Int(at >> 6)] | busy[Int(at >> 6)]
      let wanted = (free ? ~taken : taken) >> (at & 63)
      if wanted != 0 { return min(at + UInt64(wanted.trailingZeroBitCount), end) }
      at = (at | 63) + 1
    }
    return end
  }

  /// A run of free blocks for the pages of a file from `page` on: at `goal`, the block behind the file's own, when that is free, or the
  /// first run that is long enough, or else the longest. At least 512 blocks lie, if they can, where one entry maps 2 MiB of them.
  func find(_ count: UInt64, for page: UInt64, goal: UInt64?) -> Range<UInt64>? {
    let goal = goal.flatMap { data.contains($0) ? $0 : nil }
    let table = PageSize.entriesPerTable
    let residue = page % table
    if count >= table, goal.map({ $0 % table != residue }) ?? true {
      if let run = find(count, residue: residue, atLeast: table) { return run }
    }
    if let goal, let run = run(at: goal, longest: count) { return run }
    var best: Range<UInt64>?
    var at = next(from: data.lowerBound, to: data.upperBound, free: true)
    while at < data.upperBound, let run = run(at: at, longest: count) {
      if UInt64(run.count) >= count { return run }
      if run.count > best?.count ?? 0 { best = run }
      at = next(from: run.upperBound, to: data.upperBound, free: true)
    }
    return best
  }

  /// The first run of at least `atLeast` free blocks that begins at `residue` modulo 512.
  func find(_ count: UInt64, residue: UInt64, atLeast: UInt64 = 1) -> Range<UInt64>? {
    let table = PageSize.entriesPerTable
    var at = data.lowerBound + (residue + table - data.lowerBound % table) % table
    while at < data.upperBound {
      if let run = run(at: at, longest: count), UInt64(run.count) >= atLeast { return run }
      at += table
    }
    return nil
  }

  /// Free blocks that begin at `residue` modulo 512: at `goal` if it is such a block, or where 2 MiB are free, so that more of the file
  /// finds room behind them, or else the first there are.
  func find(_ count: UInt64, residue: UInt64, goal: UInt64?) -> Range<UInt64>? {
    let table = PageSize.entriesPerTable
    if let goal, data.contains(goal), goal % table == residue, let run = run(at: goal, longest: count) { return run }
    let roomy = max(count, table)
    if let run = find(roomy, residue: residue, atLeast: roomy) { return run.lowerBound..<run.lowerBound + count }
    return find(count, residue: residue)
  }

  private func run(at start: UInt64, longest: UInt64) -> Range<UInt64>? {
    let limit = start + min(longest, data.upperBound - start)
    let end = next(from: start, to: limit, free: false)
    return end > start ? start..<end : nil
  }
}
