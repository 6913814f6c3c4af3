/// Holds what the engine did against what a kernel did, field by field.
public struct RecordingComparison: Sendable {
  /// One field that is not as it was recorded.
  public struct Difference: Sendable, Equatable, CustomStringConvertible {
    /// Line of the script.
    public var line: Int64
    public var operation: String
    /// The path to the field, such as `maps.M0.pres[2]`.
    public var field: String
    /// The recorded value; `nil` where the recording has no such field.
    public var expected: JSONValue?
    public var actual: JSONValue?

    public init(line: Int64, operation: String, field: String, expected: JSONValue?, actual: JSONValue?) {
      self.line = line
      self.operation = operation
      self.field = field
      self.expected = expected
      self.actual = actual
    }

    public var description: String {
      "line \(line): \(operation): \(field): expected \(Self.shown(expected)), got \(Self.shown(actual))"
    }

    private static func shown(_ value: JSONValue?) -> String {
      guard let text = value?.description else { return "nothing" }
      return text.count <= 200 ? text : text.prefix(200) + "…"
    }
  }

  /// The fields of an operation that no comparison looks at unless told: trace events and call counts, which the engine
  /// prints only when asked.
  public static let unprinted: Set<String> = ["ev", "fn"]

  /// What two recordings of one kernel do not have alike where files are mapped with DAX: the recorder reads the pages
  /// of a device as it looks at them.
  public static let unsteadyWithDAX: Set<String> = [
    "smaps.Shared_Clean", "smaps.Shared_Dirty", "smaps.Private_Clean", "smaps.Private_Dirty", "smaps.Referenced",
  ]

  /// In the order of the recording; empty where the two agree.
  public let differences: [Difference]

  /// - Parameter ignored: fields of an operation to leave out, for recordings that were not stable: `maps`, `minflt`,
  ///   or those inside others by their path without indices, such as `smaps.Referenced`.
  public init(expected: Recording, actual: Recording, ignoring ignored: Set<String> = Self.unprinted) {
    var walk = Walk(ignored: ignored)
    for index in 0..<max(expected.results.count, actual.results.count) {
      let wanted = index < expected.results.count ? expected.results[index] : nil
      let got = index < actual.results.count ? actual.results[index] : nil
      walk.compareResult(wanted, got)
    }
    differences = walk.differences
  }
}

private struct Walk {
  let ignored: Set<String>
  var differences: [RecordingComparison.Difference] = []
  private var line: Int64 = 0
  private var operation = ""

  init(ignored: Set<String>) {
    self.ignored = ignored
  }

  mutating func compareResult(_ expected: JSONValue?, _ actual: JSONValue?) {
    let named = expected ?? actual
    line = named?["i"]?.integerValue ?? 0
    operation = named?["op"]?.stringValue ?? "?"
    guard case .object(let wanted) = expected, case .object(let got) = actual else {
      note("", expected, actual)
      return
    }
    compareMembers(wanted, got, path: "", kind: "")
  }

  /// - Parameter kind: the path without indices.
  private mutating func compare(_ expected: JSONValue, _ actual: JSONValue, path: String, kind: String) {
    switch (expected, actual) {
    case (.object(let wanted), .object(let got)):
      compareMembers(wanted, got, path: path + ".", kind: kind + ".")
    case (.array(let wanted), .array(let got)):
      // The first element that differs says more than two long lists, and those behind it are mostly shifted.
      let before = differences.count
      for index in 0..<max(wanted.count, got.count) where differences.count == before {
        let place = "\(path)[\(index)]"
        if index < wanted.count, index < got.count, case .object = wanted[index], case .object = got[index] {
          compare(wanted[index], got[index], path: place, kind: kind)
        } else if index >= wanted.count || index >= got.count || wanted[index] != got[index] {
          note(place, index < wanted.count ? wanted[index] : nil, index < got.count ? got[index] : nil)
        }
      }
    default:
      if expected != actual { note(path, expected, actual) }
    }
  }

  private mutating func compareMembers(
    _ wanted: [JSONValue.Member], _ got: [JSONValue.Member], path: String, kind: String
  ) {
    let wanted = wanted.filter { !ignored.contains(kind + $0.key) }
    let got = got.filter { !ignored.contains(kind + $0.key) }
    for member in wanted {
      if let actual = got.first(where: { $0.key == member.key })?.value {
        compare(member.value, actual, path: path + member.key, kind: kind + member.key)
      } else {
        note(path + member.key, member.value, nil)
      }
    }
    for member in got where !wanted.contains(where: { $0.key == member.key }) {
      note(path + member.key, nil, member.value)
    }
  }

  private mutating func note(_ field: String, _ expected: JSONValue?, _ actual: JSONValue?) {
    differences.append(
      RecordingComparison.Difference(
        line: line, operation: operation, field: field.isEmpty ? "the whole line" : field, expected: expected,
        actual: actual))
  }
}
