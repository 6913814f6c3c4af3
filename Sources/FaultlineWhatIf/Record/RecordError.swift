import Glibc

/// Why a program could not be recorded or measured.
public enum RecordError: Error, Equatable, CustomStringConvertible {
  /// The program could not be started; `errno` says why.
  case cannotRun(program: String, errno: Int32)
  /// This machine does not offer something; `remedy` says what would enable it.
  case unavailable(what: String, remedy: String)
  /// The program does what cannot be followed.
  case unsupported(program: String, what: String, remedy: String)
  /// The kernel keeps the residency of a file from users who neither own it nor may write it.
  case notOwnedOrWritable(path: String)
  /// The page cache of a file could not be brought into the state asked for.
  case cacheState(path: String, what: String)
  /// The trace file.
  case trace(TraceError)

  public var description: String {
    switch self {
    case .cannotRun(let program, let code): "cannot run '\(program)': \(systemErrorText(code))"
    case .unavailable(let what, let remedy): "not available here: \(what); \(remedy)"
    case .unsupported(let program, let what, let remedy): "cannot record '\(program)': \(what); \(remedy)"
    case .notOwnedOrWritable(let path):
      "the page cache of '\(path)' cannot be seen: mincore tells the truth only to its owner or who may write it; "
        + "run as its owner, or leave it out with --files"
    case .cacheState(let path, let what): "'\(path)': \(what)"
    case .trace(let error): error.description
    }
  }

  static func perfRefused(errno code: Int32) -> RecordError {
    .unavailable(
      what: "perf events (\(systemErrorText(code)))",
      remedy: code == ENOSYS
        ? "a kernel with CONFIG_PERF_EVENTS would enable them"
        : "`sysctl kernel.perf_event_paranoid=2` would enable them")
  }
}
