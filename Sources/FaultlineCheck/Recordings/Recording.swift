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
