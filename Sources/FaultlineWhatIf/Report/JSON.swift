/// A JSON document whose keys keep the order in which they were written, so that output is the same byte for byte.
public indirect enum JSON: Sendable, Equatable {
  case null
  case bool(Bool)
  case integer(Int64)
  case unsigned(UInt64)
  /// Written with as many digits as tell the value apart; what JSON cannot say (infinity, NaN) becomes null.
  case number(Double)
  case string(String)
  case array([JSON])
  case object([Member])

  public struct Member: Sendable, Equatable {
    public let key: String
    public let value: JSON

    public init(_ key: String, _ value: JSON) {
      self.key = key
      self.value = value
    }
  }

  /// The value, or null.
  public static func unsigned(orNull value: UInt64?) -> JSON { value.map { .unsigned($0) } ?? .null }

  /// The document: objects and arrays of objects over several lines, everything else on one.
  public var text: String {
    var output = ""
    write(to: &output, indent: 0)
    return output
  }

  private func write(to output: inout String, indent: Int) {
    switch self {
    case .null: output += "null"
    case .bool(let value): output += value ? "true" : "false"
    case .integer(let value): output += "\(value)"
    case .unsigned(let value): output += "\(value)"
    case .number(let value): output += value.isFinite ? "\(value)" : "null"
    case .string(let value): JSON.write(string: value, to: &output)
    case .array(let values):
      write(values.map { (nil, $0) }, in: ("[", "]"), isSpread: values.contains(where: \.isObject), &output, indent)
    case .object(let members):
      write(members.map { ($0.key, $0.value) }, in: ("{", "}"), isSpread: indent < 2, &output, indent)
    }
  }

  private var isObject: Bool {
    if case .object = self { return true }
    return false
  }

  private func write(
    _ items: [(key: String?, value: JSON)], in brackets: (String, String), isSpread: Bool,
    _ output: inout String, _ indent: Int
  ) {
    let spread = isSpread && !items.isEmpty
    output += brackets.0
    for (index, item) in items.enumerated() {
      if index > 0 { output += spread ? "," : ", " }
      if spread { output += "\n" + String(repeating: "  ", count: indent + 1) }
      if let key = item.key {
        JSON.write(string: key, to: &output)
        output += ": "
      }
      item.value.write(to: &output, indent: indent + 1)
    }
    if spread { output += "\n" + String(repeating: "  ", count: indent) }
    output += brackets.1
  }

  private static func write(string: String, to output: inout String) {
    output += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": output += "\\\""
      case "\\": output += "\\\\"
      case "\n": output += "\\n"
      case "\t": output += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let hex = String(scalar.value, radix: 16)
        output += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: output.unicodeScalars.append(scalar)
      }
    }
    output += "\""
  }
}
