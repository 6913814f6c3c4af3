/// A condition on one row of a what-if, for use in tests and continuous integration: `major<=100`, `pmdMapped>=90%`,
/// `random:cached<2000`.
public struct Assertion: Sendable, Equatable, CustomStringConvertible {
  /// What is compared, by the name that people type.
  public enum Subject: String, Sendable, CaseIterable {
    case major, minor, mapped, pmdMapped, cached, read, requests

    fileprivate func value(_ counts: ReplayCounts) -> UInt64 {
      switch self {
      case .major: counts.majorFaults
      case .minor: counts.minorFaults
      case .mapped: counts.pagesMapped
      case .pmdMapped: counts.pagesMappedHuge
      case .cached: counts.pagesCached
      case .read: counts.readBytes
      case .requests: counts.readRequests
      }
    }
  }

  public enum Comparison: String, Sendable, CaseIterable {
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case equal = "=="
    case less = "<"
    case greater = ">"

    func holds(_ value: Double, _ bound: Double) -> Bool {
      switch self {
      case .lessOrEqual: value <= bound
      case .greaterOrEqual: value >= bound
      case .equal: value == bound
      case .less: value < bound
      case .greater: value > bound
      }
    }
  }

  /// The row; nil is the program as recorded.
  public var policy: String?
  public var subject: Subject
  public var comparison: Comparison
  /// A count, bytes for `read`, or a share of the mapped pages in percent.
  public var bound: UInt64
  public var isPercentage: Bool

  public var description: String {
    (policy.map { "\($0):" } ?? "") + "\(subject.rawValue)\(comparison.rawValue)\(bound)" + (isPercentage ? "%" : "")
  }

  /// Reads `[POLICY:]SUBJECT OP NUMBER[%]`; spaces around the parts are allowed, numbers may end in K, M or G.
  public init(parsing text: String) throws(AssertionError) {
    var rest = Substring(text)
    if let colon = rest.firstIndex(of: ":") {
      policy = String(rest[..<colon]).trimmed
      rest = rest[rest.index(after: colon)...]
    }
    let operators = Comparison.allCases.compactMap { comparison in
      rest.range(of: comparison.rawValue).map { (comparison, $0) }
    }
    guard let (comparison, range) = operators.first else { throw AssertionError(text: text, reason: .noComparison) }
    let name = String(rest[..<range.lowerBound]).trimmed
    guard let subject = Subject(rawValue: name) else { throw AssertionError(text: text, reason: .unknownSubject(name)) }
    var number = String(rest[range.upperBound...]).trimmed
    isPercentage = number.hasSuffix("%")
    if isPercentage { number = String(number.dropLast()).trimmed }
    guard let bound = ByteSize.parse(Substring(number)) else {
      throw AssertionError(text: text, reason: .notANumber(number))
    }
    guard !isPercentage || subject == .pmdMapped else { throw AssertionError(text: text, reason: .noPercentage(name)) }
    self.subject = subject
    self.comparison = comparison
    self.bound = bound
  }

  /// What the row says, and whether the condition holds.
  ///
  /// - Throws: ``AssertionError`` when the table has no such row.
  public func check(_ report: WhatIfReport) throws(AssertionError) -> AssertionResult {
    let row =
      policy.map { name in report.outcomes.firstIndex { $0.policy.name == name } } ?? report.recordedIndex ?? nil
    guard let row else {
      throw AssertionError(text: description, reason: .noSuchPolicy(report.outcomes.map(\.policy.name)))
    }
    let counts = report.outcomes[row].counts
    let value = subject.value(counts)
    guard isPercentage else {
      return AssertionResult(
        assertion: self, holds: comparison.holds(Double(value), Double(bound)), value: NumberText.grouped(value))
    }
    let share = counts.pagesMapped == 0 ? 0 : 100 * Double(value) / Double(counts.pagesMapped)
    return AssertionResult(
      assertion: self, holds: comparison.holds(share, Double(bound)), value: NumberText.decimal(share, places: 1) + "%")
  }
}

/// What became of a condition.
public struct AssertionResult: Sendable, Equatable {
  public let assertion: Assertion
  public let holds: Bool
  /// What the row says, as text for people.
  public let value: String

  var text: String { "assert \(assertion): \(value), \(holds ? "holds" : "FAILED")" }

  var json: JSON {
    .object([
      .init("assertion", .string(assertion.description)), .init("value", .string(value)), .init("holds", .bool(holds)),
    ])
  }
}

/// Why a condition cannot be checked.
public struct AssertionError: Error, Equatable, CustomStringConvertible {
  public enum Reason: Sendable, Equatable {
    case noComparison
    case unknownSubject(String)
    case notANumber(String)
    case noPercentage(String)
    case noSuchPolicy([String])
  }

  public let text: String
  public let reason: Reason

  public var description: String {
    "assertion '\(text)': \(complaint); an assertion looks like 'major<=100', 'pmdMapped>=90%' or 'random:cached<2000'"
  }

  private var complaint: String {
    switch reason {
    case .noComparison: "there is none of <=, >=, ==, <, > in it"
    case .unknownSubject(let name):
      "'\(name)' is not one of \(Assertion.Subject.allCases.map(\.rawValue).joined(separator: ", "))"
    case .notANumber(let number): "'\(number)' is not a number such as 100, 64K or 90%"
    case .noPercentage(let name):
      "\(name) is no share of anything; only pmdMapped takes a percentage, of the mapped pages"
    case .noSuchPolicy(let names): "the table has no such policy, only \(names.joined(separator: "; "))"
    }
  }
}

extension String {
  fileprivate var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}

extension Substring {
  /// Where `text` first occurs.
  fileprivate func range(of text: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}
