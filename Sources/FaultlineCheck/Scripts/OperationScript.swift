/// A script of memory-mapping operations: the language in which `faultline ops` and the recordings of real kernels agree
/// on what was done.
///
/// One operation a line; `#` opens a comment at the start of a line or after a space. Lengths and offsets are pages,
/// `N+B` and `N-B` add bytes. `docs/ops.md` has the whole grammar. The laws of this folder:
/// * parsing knows the complete language and no engine: what can be run is decided by the runner, line by line;
/// * every fault of the text is a ``ScriptError`` that names its line and its token; no input traps;
/// * the text of an operation is kept as it was, for it comes back in the output.
public struct OperationScript: Sendable, Equatable {
  /// One operation and where it stood.
  public struct Line: Sendable, Equatable {
    /// Counted from 1, comments and empty lines included.
    public var number: Int
    /// The operation without indentation, comment and trailing space.
    public var text: String
    public var operation: Operation
    /// Time for a kernel to come to rest after the operation, or after each touch of one that faulted; an engine without
    /// time has none to wait for. `nil`: the run's own.
    public var settleMilliseconds: Int64?

    public init(number: Int, text: String, operation: Operation, settleMilliseconds: Int64? = nil) {
      self.number = number
      self.text = text
      self.operation = operation
      self.settleMilliseconds = settleMilliseconds
    }
  }

  /// The operations in the order in which they run. Those between `fork` and `endfork` are inside the `fork`.
  public var lines: [Line]

  /// - Throws: ``ScriptError`` for the first line that is not in the language.
  public init(parsing text: String) throws(ScriptError) {
    var lines: [Line] = []
    var block: (number: Int, text: String, lines: [Line])?
    for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let number = index + 1
      let text = Self.stripped(raw)
      if text.isEmpty || text.hasPrefix("#") { continue }
      switch text.prefix(while: { $0 != " " && $0 != "\t" }) {
      case "fork":
        guard block == nil else { throw ScriptError(line: number, token: "fork", problem: .nestedFork) }
        block = (number, text, [])
      case "endfork":
        guard let open = block else { throw ScriptError(line: number, token: "endfork", problem: .endWithoutFork) }
        lines.append(Line(number: open.number, text: open.text, operation: .fork(open.lines)))
        block = nil
      default:
        var arguments = Arguments(text, line: number)
        let operation = try arguments.operation()
        let line = Line(
          number: number, text: text, operation: operation, settleMilliseconds: arguments.settleMilliseconds)
        if block == nil { lines.append(line) } else { block?.lines.append(line) }
      }
    }
    if let block { throw ScriptError(line: block.number, token: "fork", problem: .forkWithoutEnd) }
    self.lines = lines
  }

  private static func stripped(_ raw: Substring) -> String {
    var text = raw.drop { $0 == " " || $0 == "\t" }
    var previous: Character = "\n"
    for index in text.indices {
      if text[index] == "#" && previous == " " {
        text = text[..<index]
        break
      }
      previous = text[index]
    }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }
}
