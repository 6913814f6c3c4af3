/// Decompresses DEFLATE streams (RFC 1951), so that a compressed text trace needs no library.
///
/// Input is untrusted: a stream that is damaged, or larger than allowed, ends in `nil` and never traps.
struct Inflate {
  private let input: [UInt8]
  private let limit: Int
  private var next: Int
  private var held: UInt32 = 0
  private var heldBits = 0
  private var output: [UInt8] = []

  /// - Parameters:
  ///   - start: index of the stream's first byte.
  ///   - limit: the most bytes that may come out.
  init(_ input: [UInt8], from start: Int, limit: Int) {
    self.input = input
    self.limit = limit
    next = start
  }

  /// The whole stream and the index of the first byte behind it; `nil` when it is damaged or too large.
  mutating func run() -> (bytes: [UInt8], end: Int)? {
    var isLast = false
    while !isLast {
      guard let last = bits(1), let kind = bits(2) else { return nil }
      isLast = last == 1
      switch kind {
      case 0: guard copyStored() else { return nil }
      case 1: guard expand(.fixedLiterals, .fixedDistances) else { return nil }
      case 2:
        guard let (literals, distances) = readCodes(), expand(literals, distances) else { return nil }
      default: return nil
      }
    }
    return (output, next - heldBits / 8)
  }

  // MARK: Bits, least significant first

  private mutating func bits(_ count: Int) -> UInt32? {
    while heldBits < count {
      guard next < input.count else { return nil }
      held |= UInt32(input[next]) << UInt32(heldBits)
      next += 1
      heldBits += 8
    }
    defer {
      held >>= UInt32(count)
      heldBits -= count
    }
    return held & ((1 << UInt32(count)) - 1)
  }

  private mutating func symbol(_ code: HuffmanCode) -> Int? {
    var value = 0
    var first = 0
    var index = 0
    for count in code.counts.dropFirst() {
      guard let bit = bits(1) else { return nil }
      value |= Int(bit)
      if value - first < count { return code.symbols[index + value - first] }
      index += count
      first = (first + count) << 1
      value <<= 1
    }
    return nil
  }

  // MARK: Blocks

  private mutating func copyStored() -> Bool {
    held = 0
    next -= heldBits / 8
    heldBits = 0
    guard let length = bits(16), let inverse = bits(16), length ^ inverse == 0xFFFF else { return false }
    let end = next + Int(length)
    guard end <= input.count, output.count + Int(length) <= limit else { return false }
    output += input[next..<end]
    next = end
    return true
  }

  private mutating func expand(_ literals: HuffmanCode, _ distances: HuffmanCode) -> Bool {
    while let found = symbol(literals) {
      if found == 256 { return true }
      if found < 256 {
        guard output.count < limit else { return false }
        output.append(UInt8(found))
        continue
      }
      guard let length = length(of: found), let distance = distance(distances) else { return false }
      guard distance <= output.count, output.count + length <= limit else { return false }
      let start = output.count - distance
      // Byte by byte: a distance below the length repeats what this very copy writes.
      for place in start..<(start + length) { output.append(output[place]) }
    }
    return false
  }

  private mutating func length(of symbol: Int) -> Int? {
    if symbol == 285 { return 258 }
    let step = symbol - 257
    guard step < 28 else { return nil }
    if step < 8 { return 3 + step }
    let extra = step / 4 - 1
    guard let more = bits(extra) else { return nil }
    return 3 + (4 + step % 4) << extra + Int(more)
  }

  private mutating func distance(_ code: HuffmanCode) -> Int? {
    guard let step = symbol(code), step < 30 else { return nil }
    if step < 4 { return 1 + step }
    let extra = step / 2 - 1
    guard let more = bits(extra) else { return nil }
    return 1 + (2 + step % 2) << extra + Int(more)
  }

  /// The codes of a dynamic block, which are themselves compressed.
  private mutating func readCodes() -> (HuffmanCode, HuffmanCode)? {
    guard let literals = bits(5), let distances = bits(5), let used = bits(4) else { return nil }
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    var lengths = [Int](repeating: 0, count: 19)
    for place in order.prefix(Int(used) + 4) {
      guard let length = bits(3) else { return nil }
      lengths[place] = Int(length)
    }
    let (literalCount, distanceCount) = (Int(literals) + 257, Int(distances) + 1)
    guard let code = HuffmanCode(lengths), let all = readLengths(literalCount + distanceCount, code),
      let literalCode = HuffmanCode(Array(all[..<literalCount])),
      let distanceCode = HuffmanCode(Array(all[literalCount...]))
    else { return nil }
    return (literalCode, distanceCode)
  }

  private mutating func readLengths(_ count: Int, _ code: HuffmanCode) -> [Int]? {
    var lengths: [Int] = []
    while lengths.count < count {
      guard let found = symbol(code) else { return nil }
      var value = 0
      var times: Int
      switch found {
      case 16:
        guard let last = lengths.last, let more = bits(2) else { return nil }
        (value, times) = (last, 3 + Int(more))
      case 17:
        guard let more = bits(3) else { return nil }
        times = 3 + Int(more)
      case 18:
        guard let more = bits(7) else { return nil }
        times = 11 + Int(more)
      default: (value, times) = (found, 1)
      }
      guard lengths.count + times <= count else { return nil }
      lengths += [Int](repeating: value, count: times)
    }
    return lengths
  }
}

/// A canonical prefix code: how many symbols each length has, and the symbols in the order of their codes.
private struct HuffmanCode {
  var counts: [Int]
  var symbols: [Int]

  /// - Parameter lengths: of each symbol's code in bits, 0 to 15; 0 is a symbol that does not occur. `nil` when more codes
  ///   are wanted than there are.
  init?(_ lengths: [Int]) {
    counts = [Int](repeating: 0, count: 16)
    for length in lengths where length > 0 { counts[length] += 1 }
    var free = 1
    for count in counts.dropFirst() {
      free = free * 2 - count
      if free < 0 { return nil }
    }
    symbols = (1...15).flatMap { wanted in lengths.indices.filter { lengths[$0] == wanted } }
  }

  private init(_ lengths: [Int], trusted: Void) {
    counts = [Int](repeating: 0, count: 16)
    for length in lengths where length > 0 { counts[length] += 1 }
    symbols = (1...15).flatMap { wanted in lengths.indices.filter { lengths[$0] == wanted } }
  }

  static let fixedLiterals = HuffmanCode(
    (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 }, trusted: ())
  static let fixedDistances = HuffmanCode([Int](repeating: 5, count: 30), trusted: ())
}
