/// Why a script could not be read: the line, the word at fault, and what would have been right there.
public struct ScriptError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Problem: Equatable, Sendable {
    /// The first word of the line is no operation.
    case unknownOperation
    /// The line ends before this argument.
    case missing(String)
    /// The word cannot be what its place asks for.
    case wrong(expected: String)
    /// The operation takes no such word.
    case unexpected
    /// The number does not fit.
    case outOfRange(String)
    case nestedFork
    case forkWithoutEnd
    case endWithoutFork
  }

  /// Counted from 1.
  public var line: Int
  /// The word that is at fault; for a missing argument, the operation that misses it.
  public var token: String
  public var problem: Problem

  public init(line: Int, token: String, problem: Problem) {
    self.line = line
    self.token = token
    self.problem = problem
  }

  public var description: String {
    "line \(line): \(reason)"
  }

  private var reason: String {
    // A line of something else altogether may be one long word.
    let token = token.count <= 40 ? token : token.prefix(40) + "…"
    return switch problem {
    case .unknownOperation: "unknown operation `\(token)`; docs/ops.md lists them"
    case .missing(let what): "`\(token)` needs \(what)"
    case .wrong(let expected): "`\(token)` is not \(expected)"
    case .unexpected: "`\(token)` is one word too many, or an option that this operation does not have"
    case .outOfRange(let limit): "`\(token)` is too large: \(limit)"
    case .nestedFork: "`fork` inside a fork block; close the first with `endfork`"
    case .forkWithoutEnd: "`fork` without `endfork`"
    case .endWithoutFork: "`endfork` without `fork`"
    }
  }
}
