/// Reads one JSON value from one line of a recording.
struct JSONParser {
  /// What is not JSON, or more than the recordings use of it, and the byte where it stands.
  struct Failure: Error, Equatable {
    var offset: Int
    var reason: String
  }

  /// Deeper values are refused: reading descends the stack, and a line is input.
  static let depthLimit = 32

  private let bytes: [UInt8]
  private var position = 0

  static func parse(_ text: some StringProtocol) throws(Failure) -> JSONValue {
    var parser = JSONParser(bytes: Array(text.utf8))
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    if parser.position < parser.bytes.count { throw parser.failure("more text behind the value") }
    return value
  }

  private init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  private func failure(_ reason: String) -> Failure { Failure(offset: position, reason: reason) }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A { position += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard next == byte else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(Failure) {
    guard take(UInt8(ascii: character)) else { throw failure("expected `\(character)`") }
  }

  private mutating func value(depth: Int) throws(Failure) -> JSONValue {
    guard depth < Self.depthLimit else { throw failure("nested too deeply") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return .object(try members(depth: depth))
    case UInt8(ascii: "["): return .array(try elements(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .boolean(true))
    case UInt8(ascii: "f"): return try word("false", .boolean(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return .integer(try integer())
    }
  }

  private mutating func word(_ text: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
    let end = position + text.utf8CodeUnitCount
    let matches = text.withUTF8Buffer { end <= bytes.count && bytes[position..<end].elementsEqual($0) }
    guard matches else { throw failure("no JSON value") }
    position = end
    return value
  }

  private mutating func integer() throws(Failure) -> Int64 {
    let start = position
    while let byte = next, byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte) { position += 1 }
    let fraction = next.map { [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains($0) } ?? false
    guard !fraction, let value = Int64(String(decoding: bytes[start..<position], as: UTF8.self)) else {
      position = start
      throw failure("expected a value; numbers are whole and have 64 bits")
    }
    return value
  }

  private mutating func elements(depth: Int) throws(Failure) -> [JSONValue] {
    try expect("[")
    if take(UInt8(ascii: "]")) { return [] }
    var values: [JSONValue] = []
    repeat { values.append(try value(depth: depth + 1)) } while take(UInt8(ascii: ","))
    try expect("]")
    return values
  }

  private mutating func members(depth: Int) throws(Failure) -> [JSONValue.Member] {
    try expect("{")
    if take(UInt8(ascii: "}")) { return [] }
    var members: [JSONValue.Member] = []
    repeat {
      skipSpace()
      let key = try string()
      try expect(":")
      members.append(JSONValue.Member(key, try value(depth: depth + 1)))
    } while take(UInt8(ascii: ","))
    try expect("}")
    return members
  }

  private mutating func string() throws(Failure) -> String {
    try expect("\"")
    var content: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: content, as: UTF8.self)
      case UInt8(ascii: "\\"): content += Array(String(try escaped()).utf8)
      default: content.append(byte)
      }
    }
    throw failure("a string without its end")
  }

  private mutating func escaped() throws(Failure) -> Character {
    guard let byte = next else { throw failure("a string without its end") }
    position += 1
    switch byte {
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "u"):
      let end = min(position + 4, bytes.count)
      let code = UInt32(String(decoding: bytes[position..<end], as: UTF8.self), radix: 16)
      guard end - position == 4, let scalar = code.flatMap(Unicode.Scalar.init) else {
        throw failure("\\u wants four hexadecimal digits of one character")
      }
      position = end
      return Character(scalar)
    default: return Character(Unicode.Scalar(byte))
    }
  }
}
