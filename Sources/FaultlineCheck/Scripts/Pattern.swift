/// The data of the scripts: what a file holds is a function of its seed and the position, so a sum proves every byte.
enum Pattern {
  /// One step of the splitmix64 generator.
  static func splitmix(_ value: UInt64) -> UInt64 {
    var x = value &+ 0x9E37_79B9_7F4A_7C15
    x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
    x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
    return x ^ (x >> 31)
  }

  /// The 8 bytes at a byte offset that is a multiple of 8. Every page begins with the byte of a RET instruction, so that
  /// `exec` can call it.
  static func word(seed: UInt64, at offset: UInt64) -> UInt64 {
    let value = splitmix(seed &* 0x9E37_79B9_7F4A_7C15 &+ offset / 8)
    return offset % 4096 == 0 ? value & ~0xFF | 0xC3 : value
  }

  /// The words are counted from `offset`, also where that is no multiple of 8.
  static func bytes(seed: UInt64, at offset: UInt64, count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      var position = 0
      while position < count {
        var value = word(seed: seed, at: offset &+ UInt64(position))
        let end = min(position + 8, count)
        while position < end {
          buffer.initializeElement(at: position, to: UInt8(truncatingIfNeeded: value))
          value >>= 8
          position += 1
        }
      }
      initialized = count
    }
  }
}

/// FNV-1a with 64 bits: the sum of the recordings.
struct FNV {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var offset = 0
    while offset &+ 8 <= bytes.count {
      add(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)), bytes: 8)
      offset &+= 8
    }
    for byte in bytes[offset...] { add(UInt64(byte), bytes: 1) }
  }

  /// The lowest bytes of a number, lowest first. Every result sums every present page, so this is what a run's time goes to.
  private mutating func add(_ number: UInt64, bytes: Int) {
    var sum = value
    var rest = number
    var left = bytes
    while left > 0 {
      sum = (sum ^ (rest & 0xFF)) &* 0x100_0000_01B3
      rest &>>= 8
      left &-= 1
    }
    value = sum
  }

  /// The 8 bytes of a number, lowest first.
  mutating func add(_ number: UInt64) {
    add(number, bytes: 8)
  }

  var hexadecimal: String { Self.hexadecimal(value) }

  static func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
