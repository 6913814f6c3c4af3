import Foundation

@testable import FaultlineWhatIf

/// Programs that were recorded twice on a real kernel: without fault-around, and with its window of 16 pages.
enum RecordedProgram: String, CaseIterable, Sendable {
  case bash = "bash_true_x100"
  case clang = "clang_syntax"
  case git = "git_status"
  case python = "python_json"
  case sqlite = "sqlite_query"

  var firstTouchPath: String { path("ft") }
  var aroundPath: String { path("fa") }

  /// Every first touch of a file page, which is a fault.
  func firstTouches() throws -> TextTrace { try text(firstTouchPath) }

  /// What the kernel did with fault-around on.
  func around() throws -> TextTrace { try text(aroundPath) }

  private func text(_ path: String) throws -> TextTrace {
    guard let text = try TextTrace(path: path) else { throw TraceError.notATrace(path: path) }
    return text
  }

  private func path(_ kind: String) -> String {
    Bundle.module.bundleURL.appendingPathComponent("Recordings/\(rawValue).\(kind).txt.gz").path
  }
}

extension Trace {
  /// Faults of the whole trace under a window of 2 to the `order` pages, every file page cached.
  func faults(order: Int) throws -> UInt64 { try AroundSweep.counts(of: self, TraceSurvey(self), order: order).faults }
}
