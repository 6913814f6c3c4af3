import Faultline

/// Why a what-if has no answer.
public enum WhatIfError: Error, Equatable, CustomStringConvertible {
  /// No mapped file is chosen. `otherFiles` were mapped and left out.
  case nothingChosen(program: String, patterns: [String], otherFiles: Int)
  /// Residency of these files cannot be known, for `mincore` calls every page of a file resident that the user neither owns
  /// nor may write. `purpose` is the option that needs it.
  case residencyUnknown(paths: [String], purpose: String)
  /// A real run changes what is cached, so the state that the recording found cannot be had again.
  case cannotVerifyAsIs
  /// The engine could not be set up.
  case engine(KernelError)

  public var description: String {
    switch self {
    case .nothingChosen(let program, let patterns, let others) where !patterns.isEmpty:
      "\(program) mapped no file that matches \(patterns.map { "'\($0)'" }.joined(separator: " or "))"
        + (others > 0 ? "; \(others) other files were mapped, see --files" : "")
    case .nothingChosen(let program, _, let others) where others > 0:
      "\(program) mapped only programs and libraries (\(others) files): add --include-text to ask about those"
    case .nothingChosen(let program, _, _):
      "\(program) mapped no file: there is nothing to ask about; --include-text takes programs and libraries too"
    case .residencyUnknown(let paths, let purpose):
      "\(purpose) needs to know what is cached of \(paths[0])\(paths.count > 1 ? " and \(paths.count - 1) more" : ""), "
        + "and mincore tells the truth to a file's owner or writer only: run as the owner, or choose others with --files"
    case .cannotVerifyAsIs: "--verify cannot bring back the cache as it was: take --cache cold or --cache warm with it"
    case .engine(let error): "the engine could not be set up: \(error)"
    }
  }
}
