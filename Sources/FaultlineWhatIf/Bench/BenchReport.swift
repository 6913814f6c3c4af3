/// What a benchmark measured, and the bars it sets itself.
public struct BenchReport: Sendable {
  /// One figure, beside something real that was measured in the same run or published elsewhere.
  public struct Case: Sendable {
    public let name: String
    public let value: Double
    public let unit: String
    /// The figure to compare with; nil when there is none.
    public let anchor: Double?
    /// What the anchor is.
    public let anchorSource: String?

    public init(name: String, value: Double, unit: String, anchor: Double? = nil, anchorSource: String? = nil) {
      self.name = name
      self.value = value
      self.unit = unit
      self.anchor = anchor
      self.anchorSource = anchorSource
    }
  }

  /// A figure that must be reached, or that must not be exceeded.
  public struct Bar: Sendable {
    /// On which side of what is wanted a figure may lie.
    public enum Bound: String, Sendable {
      case atLeast, atMost, exactly
    }

    public let name: String
    public let bound: Bound
    /// In the unit of the case it judges.
    public let wanted: Double
    public let got: Double

    public init(name: String, _ bound: Bound = .atLeast, wanted: Double, got: Double) {
      self.name = name
      self.bound = bound
      self.wanted = wanted
      self.got = got
    }

    public var holds: Bool {
      switch bound {
      case .atLeast: got >= wanted
      case .atMost: got <= wanted
      case .exactly: got == wanted
      }
    }
  }

  public let benchmark: String
  public let machine: String
  public let cases: [Case]
  /// Empty in a quick run, which judges nothing.
  public let bars: [Bar]

  public init(benchmark: String, machine: String, cases: [Case], bars: [Bar]) {
    self.benchmark = benchmark
    self.machine = machine
    self.cases = cases
    self.bars = bars
  }

  public var holds: Bool { bars.allSatisfy(\.holds) }

  /// The object of `faultline bench NAME --json`.
  public var json: JSON {
    .object([
      .init("benchmark", .string(benchmark)), .init("machine", .string(machine)),
      .init("cases", .array(cases.map(\.json))), .init("bars", .array(bars.map(\.json))),
    ])
  }

  /// The table for a terminal.
  public var table: String {
    var table = TextTable(head: ["case", "measured", "beside", "ratio", "unit"])
    for one in cases {
      table.add([
        one.name, Self.number(one.value), one.anchor.map(Self.number) ?? "-",
        one.anchor.map { NumberText.decimal(one.value / $0, places: 2) } ?? "-", one.unit,
      ])
    }
    let sources = cases.compactMap { one in one.anchorSource.map { "\(one.name): beside is \($0)" } }
    return ([table.text] + sources + bars.map(\.text)).joined(separator: "\n")
  }

  fileprivate static func number(_ value: Double) -> String {
    NumberText.decimal(value, places: abs(value) < 100 ? 2 : 0)
  }
}

extension BenchReport.Case {
  fileprivate var json: JSON {
    .object([
      .init("name", .string(name)), .init("value", .number(value)), .init("unit", .string(unit)),
      .init("anchor", anchor.map { .number($0) } ?? .null),
      .init("anchorSource", anchorSource.map { .string($0) } ?? .null),
    ])
  }
}

extension BenchReport.Bar {
  /// One line for a terminal.
  var text: String {
    "\(holds ? "holds" : "FAILS"): \(name), wanted \(bound.words) \(BenchReport.number(wanted)), "
      + "got \(BenchReport.number(got))"
  }

  fileprivate var json: JSON {
    .object([
      .init("name", .string(name)), .init("bound", .string(bound.rawValue)), .init("wanted", .number(wanted)),
      .init("got", .number(got)), .init("holds", .bool(holds)),
    ])
  }
}

extension BenchReport.Bar.Bound {
  fileprivate var words: String {
    switch self {
    case .atLeast: "at least"
    case .atMost: "at most"
    case .exactly: "exactly"
    }
  }
}
