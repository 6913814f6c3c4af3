/// Why a script that could be read could not be run to its end.
public enum ScriptRunError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The engine cannot do this yet. Nothing of the operation was done.
  case notYetSupported(operation: String, line: Int)
  /// The script names a file that it did not make.
  case noFile(String, line: Int)
  /// The script names a mapping that it did not make, or whose making failed.
  case noMapping(String, line: Int)
  /// More than a script may have.
  case limit(String, line: Int)
  /// The host could not give what the engine needs.
  case host(String)

  public var description: String {
    switch self {
    case .notYetSupported(let operation, let line):
      "line \(line): `\(operation)` is in the language, but the engine cannot do it yet"
    case .noFile(let name, let line): "line \(line): no file `\(name)`; make it with mkfile first"
    case .noMapping(let name, let line): "line \(line): no mapping `\(name)`; did its mmap fail?"
    case .limit(let what, let line): "line \(line): \(what)"
    case .host(let what): what
    }
  }
}
