/// One line of the doctor's screen.
public struct Finding: Sendable, Equatable {
  public enum State: String, Sendable {
    /// Usable by the current user.
    case works
    /// Usable in part; `remedy` says what the rest takes.
    case limited
    /// Not usable.
    case missing
    /// A plain fact that is neither good nor bad.
    case fact
  }

  /// A key for machines, in lowerCamelCase.
  public let key: String
  /// A title for people.
  public let title: String
  public let state: State
  /// What was found, with its unit.
  public let detail: String
  /// What would enable what is missing; nil when nothing is.
  public let remedy: String?

  public init(key: String, title: String, state: State, detail: String, remedy: String? = nil) {
    self.key = key
    self.title = title
    self.state = state
    self.detail = detail
    self.remedy = remedy
  }

  public var json: JSON {
    .object([
      .init("name", .string(key)), .init("state", .string(state.rawValue)), .init("detail", .string(detail)),
      .init("remedy", remedy.map { .string($0) } ?? .null),
    ])
  }
}

extension Doctor {
  /// The findings for people: one line each, with what would enable what is missing below it.
  public static func screen(_ findings: [Finding]) -> String {
    let width = findings.map(\.title.count).max() ?? 0
    var lines: [String] = []
    for finding in findings {
      let padding = String(repeating: " ", count: width - finding.title.count)
      lines.append("\(mark(finding.state))  \(finding.title)\(padding)  \(finding.detail)")
      if let remedy = finding.remedy { lines.append(String(repeating: " ", count: width + 8) + "wants: \(remedy)") }
    }
    lines += [
      "", canRecord(findings) ? "recording works here" : "recording does not work here; see the lines marked no",
    ]
    return lines.joined(separator: "\n")
  }

  private static func mark(_ state: Finding.State) -> String {
    switch state {
    case .works: "yes "
    case .limited: "part"
    case .missing: "no  "
    case .fact: "    "
    }
  }
}
