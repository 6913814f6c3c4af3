import Faultline
import FaultlineFS

/// A program on files that is tried in every mode of the file system.
struct FileProgram: Sendable {
  let name: String
  let summary: String
  /// Pages of 4096 bytes that the device has.
  var pageCount: UInt64 = 192
  /// Whether the power goes before the program begins too, so that it starts with a recovery.
  var startsWithRecovery = false
  /// See ``KernelRules/DirectRules/syncWindowPages``.
  var syncWindowPages: UInt64 = 1
  /// Makes what is there before anything can be lost.
  let prepare: @Sendable (CrashStage) throws -> Void
  /// What the program does; at any time in it the power may go.
  let run: @Sendable (CrashStage) throws -> Void

  static let all: [FileProgram] = [
    append, overwrite, sparseFill, fallocate, truncate, rename, unlink, twoSizes, racingSync, diskFull, readFirst,
    remount, sparseWindow, diskFullWindow, appendWindow,
  ]
}

/// Where a word lies in a file.
func byte(page: UInt64, word: UInt64 = 0) -> UInt64 { page << PageSize.shift + word * 8 }
