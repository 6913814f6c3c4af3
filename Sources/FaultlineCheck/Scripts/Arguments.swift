/// The words of one line, taken one by one; what is left over at the end is an error.
///
/// A word with `=` is an option and may stand anywhere behind the operation.
struct Arguments {
  let line: Int
  let keyword: String
  /// The option that every operation may have.
  var settleMilliseconds: Int64?
  private var words: ArraySlice<Substring>
  private var options: [Substring] = []

  init(_ text: String, line: Int) {
    let all = text.split(whereSeparator: { $0 == " " || $0 == "\t" })
    self.line = line
    keyword = all.first.map(String.init) ?? ""
    words = []
    for word in all.dropFirst() {
      if word.contains("=") { options.append(word) } else { words.append(word) }
    }
  }

  func wrong(_ token: some StringProtocol, expected: String) -> ScriptError {
    ScriptError(line: line, token: String(token), problem: .wrong(expected: expected))
  }

  func outOfRange(_ token: some StringProtocol, _ limit: String) -> ScriptError {
    ScriptError(line: line, token: String(token), problem: .outOfRange(limit))
  }

  var isEmpty: Bool { words.isEmpty }

  mutating func word(_ what: String) throws(ScriptError) -> String {
    guard let word = words.popFirst() else {
      throw ScriptError(line: line, token: keyword, problem: .missing(what))
    }
    return String(word)
  }

  mutating func integer(_ what: String) throws(ScriptError) -> Int64 {
    try parseInteger(try word(what), expected: what)
  }

  /// Pages with bytes added or taken off: `10`, `10+100`, `10-1`.
  mutating func bytes(_ what: String) throws(ScriptError) -> UInt64 {
    try parseBytes(try word(what), expected: what)
  }

  mutating func range() throws(ScriptError) -> ByteRange {
    ByteRange(offset: try bytes("a first page"), length: try bytes("a number of pages"))
  }

  /// A word from a fixed list.
  mutating func choice<Value: RawRepresentable & CaseIterable>(_ what: String) throws(ScriptError) -> Value
  where Value.RawValue == String {
    let word = try word(what)
    guard let value = Value(rawValue: word) else { throw wrong(word, expected: oneOf(Value.self)) }
    return value
  }

  /// A word that may be absent, such as `cold`.
  mutating func flag(_ name: String) -> Bool {
    guard let index = words.firstIndex(where: { $0 == name }) else { return false }
    words.remove(at: index)
    return true
  }

  mutating func option(_ key: String) -> String? {
    guard let index = options.firstIndex(where: { $0.hasPrefix(key + "=") }) else { return nil }
    return String(options.remove(at: index).dropFirst(key.count + 1))
  }

  mutating func integerOption(_ key: String) throws(ScriptError) -> Int64? {
    guard let text = option(key) else { return nil }
    return try parseInteger(text, expected: "a number for \(key)=")
  }

  mutating func choiceOption<Value: RawRepresentable & CaseIterable>(_ key: String) throws(ScriptError) -> Value?
  where Value.RawValue == String {
    guard let text = option(key) else { return nil }
    guard let value = Value(rawValue: text) else { throw wrong(text, expected: oneOf(Value.self)) }
    return value
  }

  func end() throws(ScriptError) {
    guard let left = words.first ?? options.first else { return }
    throw ScriptError(line: line, token: String(left), problem: .unexpected)
  }

  func parseInteger(_ text: String, expected: String) throws(ScriptError) -> Int64 {
    guard let value = Self.number(text[...]) else { throw wrong(text, expected: expected) }
    return value
  }

  /// All 64 bits, for values that are patterns rather than amounts.
  func parseBits(_ text: String, expected: String) throws(ScriptError) -> UInt64 {
    let hexadecimal = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : nil
    guard let value = hexadecimal ?? UInt64(text) ?? Self.number(text[...]).map(UInt64.init(bitPattern:)) else {
      throw wrong(text, expected: expected)
    }
    return value
  }

  private func parseBytes(_ text: String, expected: String) throws(ScriptError) -> UInt64 {
    let sign = text.dropFirst().firstIndex(where: { $0 == "+" || $0 == "-" })
    let pages = Self.number(sign.map { text[..<$0] } ?? text[...])
    let extra = sign.map { Self.number(text[$0...]) } ?? 0
    guard let pages, let extra else {
      throw wrong(text, expected: "\(expected), such as 10 pages, 10+100 or 10-1 bytes")
    }
    let (scaled, tooLarge) = pages.multipliedReportingOverflow(by: 4096)
    let (sum, overflow) = scaled.addingReportingOverflow(extra)
    if tooLarge || overflow { throw outOfRange(text, "byte counts have 63 bits") }
    return UInt64(bitPattern: sum)
  }

  /// Decimal or `0x` hexadecimal, with a sign.
  private static func number(_ text: Substring) -> Int64? {
    let digits = text.first == "-" || text.first == "+" ? text.dropFirst() : text
    guard digits.hasPrefix("0x") else { return Int64(text) }
    return Int64((text.first == "-" ? "-" : "") + digits.dropFirst(2), radix: 16)
  }

  private func oneOf<Value: RawRepresentable & CaseIterable>(_ type: Value.Type) -> String
  where Value.RawValue == String {
    "one of " + Value.allCases.map(\.rawValue).joined(separator: ", ")
  }
}
