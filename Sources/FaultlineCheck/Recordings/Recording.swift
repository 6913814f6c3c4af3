/// What a kernel, or the engine, did with a script: one object for each operation, behind one about the machine.
public struct Recording: Sendable, Equatable {
  /// The first line: kernel, file system, block size, readahead.
  public var environment: JSONValue
  /// One object an operation, in the order in which they ended.
  public var results: [JSONValue]

  public init(environment: JSONValue, results: [JSONValue]) {
    self.environment = environment
    self.results = results
  }

  /// - Throws: ``RecordingError`` where a line is not JSON or the first is not about the machine.
  public init(parsing text: String) throws(RecordingError) {
    var lines: [JSONValue] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if line.allSatisfy(\.isWhitespace) { continue }
      do {
        lines.append(try JSONParser.parse(line))
      } catch {
        throw RecordingError(line: index + 1, reason: "byte \(error.offset + 1): \(error.reason)")
      }
    }
    guard let first = lines.first, first["op"] == .string("env") else {
      throw RecordingError(line: 1, reason: "a recording begins with an object whose \"op\" is \"env\"")
    }
    self.init(environment: first, results: Array(lines.dropFirst()))
  }

  /// The same with one event where a system call tried the same byte of a program's memory several times in a row: copies to
  /// persistent memory do, as often as their instructions make it.
  public var foldingRepeatedFaults: Recording {
    var folded = self
    folded.results = results.map(Self.folded)
    return folded
  }

  private static func folded(_ result: JSONValue) -> JSONValue {
    guard case .object(var members) = result, let index = members.firstIndex(where: { $0.key == "ev" }),
      case .array(let events) = members[index].value
    else { return result }
    let kept = events.indices.filter { place in
      place == 0 || events[place] != events[place - 1] || events[place].stringValue?.hasPrefix("kf:") != true
    }
    members[index].value = .array(kept.map { events[$0] })
    return .object(members)
  }

  /// Readahead of the recorded device in KiB; `nil` where the file system has none.
  public var readaheadKiB: Int64? { environment["read_ahead_kb"]?.integerValue }
}

/// Why a recording could not be read.
public struct RecordingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Counted from 1.
  public var line: Int
  public var reason: String

  public init(line: Int, reason: String) {
    self.line = line
    self.reason = reason
  }

  public var description: String { "recording, line \(line): \(reason)" }
}
