import Faultline
import FaultlineFS

/// One cache line with stores that a crash may lose.
///
/// Stores to a line become durable in their order, whenever the processor likes: any number of the first ones survives.
struct VolatileLine {
  let number: UInt64
  /// The atoms that changed, in order, each with all of its bytes as they were afterwards. What changed nothing is left
  /// out: with it or without it the images are the same.
  private(set) var stores: [Store] = []
  /// For each count of survivors, what the image's hash changes by against none.
  private(set) var hashes: [UInt64] = [0]
  /// What a load sees.
  private(set) var visible: LineContent
  /// What survives for sure.
  private(set) var durable: LineContent
  /// Stores that a thread has begun to write back: durable when it fences.
  fileprivate var flushed: [(thread: Int, count: Int)] = []

  struct Store {
    let event: Int
    let atom: Int
    let value: UInt64
  }

  fileprivate init(_ number: UInt64, durable: LineContent) {
    self.number = number
    self.durable = durable
    visible = durable
  }

  /// The line with the first `count` stores.
  func content(surviving count: Int) -> LineContent {
    var content = durable
    for store in stores.prefix(count) { content[store.atom] = store.value }
    return content
  }

  /// How many of the stores had happened before an event.
  func stores(before event: Int) -> Int {
    stores.prefix { $0.event < event }.count
  }

  /// The part of a store that lies in this line.
  fileprivate mutating func store(_ range: Range<UInt64>, _ event: Int, _ byte: (UInt64) -> UInt8) {
    let start = number << CacheLine.shift
    let part = range.clamped(to: start..<start + CacheLine.bytes)
    for atom in Int((part.lowerBound - start) / 8)...Int((part.upperBound - 1 - start) / 8) {
      let first = start + UInt64(atom) * 8
      var value = visible[atom]
      for offset in part.clamped(to: first..<first + 8) {
        let shift = (offset - first) * 8
        value = value & ~(0xFF << shift) | UInt64(byte(offset)) << shift
      }
      append(event, atom: atom, value)
    }
  }

  private mutating func append(_ event: Int, atom: Int, _ value: UInt64) {
    guard visible[atom] != value else { return }
    visible[atom] = value
    stores.append(Store(event: event, atom: atom, value: value))
    hashes.append(durable.hash(line: number) ^ visible.hash(line: number))
  }

  fileprivate mutating func flush(_ thread: Int) {
    if let place = flushed.firstIndex(where: { $0.thread == thread }) {
      flushed[place].count = stores.count
    } else {
      flushed.append((thread, stores.count))
    }
  }

  /// Makes the first `count` stores durable.
  fileprivate mutating func settle(_ count: Int) {
    durable = content(surviving: count)
    stores.removeFirst(count)
    let change = hashes[count]
    hashes.removeFirst(count)
    for index in hashes.indices { hashes[index] ^= change }
    flushed = flushed.map { ($0.thread, max(0, $0.count - count)) }
  }
}

/// What has been stored and may be lost, as a recording goes on. What is durable is on the scratch device.
struct VolatileLines {
  /// In the order of their first store.
  private(set) var lines: [VolatileLine] = []
  /// The hash of what is durable, against that of the start.
  private(set) var durableHash: UInt64 = 0
  private var places: [UInt64: Int] = [:]
  private let scratch: ScratchDevice

  init(on scratch: ScratchDevice) { self.scratch = scratch }

  /// Whether the fence would make anything durable.
  func fenceSettles(_ thread: Int) -> Bool {
    lines.contains { line in line.flushed.contains { $0.thread == thread && $0.count > 0 } }
  }

  /// The bytes of a range, each by its offset, come to the lines that hold them.
  mutating func store(_ range: Range<UInt64>, event: Int, byte: (UInt64) -> UInt8) {
    for number in CacheLine.lines(of: range) {
      if let place = places[number] {
        lines[place].store(range, event, byte)
      } else {
        var line = VolatileLine(number, durable: LineContent(scratch, line: number))
        line.store(range, event, byte)
        // Most of what zeroes a fresh extent changes nothing.
        guard !line.stores.isEmpty else { continue }
        places[number] = lines.count
        lines.append(line)
      }
    }
  }

  mutating func flush(_ range: Range<UInt64>, thread: Int) {
    let touched = CacheLine.lines(of: range)
    // A flush of a whole extent names far more lines than wait.
    if touched.count > lines.count {
      for place in lines.indices where touched.contains(lines[place].number) { lines[place].flush(thread) }
    } else {
      for number in touched {
        if let place = places[number] { lines[place].flush(thread) }
      }
    }
  }

  /// What the thread has flushed becomes durable, on the scratch device too.
  mutating func fence(_ thread: Int) {
    for place in lines.indices {
      guard let count = lines[place].flushed.first(where: { $0.thread == thread })?.count, count > 0 else { continue }
      durableHash ^= lines[place].hashes[count]
      lines[place].settle(count)
      scratch.settle(lines[place].durable, line: lines[place].number)
    }
    lines.removeAll { $0.stores.isEmpty }
    places.removeAll(keepingCapacity: true)
    for (place, line) in lines.enumerated() { places[line.number] = place }
  }
}
