import CLinux
import Glibc

/// What the program says about its mappings and files: `madvise`, `mlock`, `msync`, `posix_fadvise` and their relatives.
extension Tracer {
  private static let dontNeed = 4
  private static let remove = 9
  private static let pageOut = 21

  func adviseBegins(_ call: inout SystemCall, _ task: TracedTask) {
    guard let range = pageRange(call[0], call[1]), task.space.mappings.overlaps(range) else { return }
    let advice = Int(Int32(truncatingIfNeeded: call[2]))
    let drops = advice == Self.dontNeed || advice == Self.remove || advice == Self.pageOut
    if drops { observer.willDrop(range, task) }
    guard observer.willAdvise(range, advice: advice, task) else { return call.skip() }
    if drops {
      task.call = CallInProgress { [unowned self] result in
        if result == 0 { observer.didDrop(range, unmapped: false, task) }
      }
    }
  }

  func lockBegins(_ call: inout SystemCall, _ task: TracedTask) {
    guard let range = pageRange(call[0], call[1]), task.space.mappings.overlaps(range) else { return }
    let onFault = call.number == CL_CALL_MLOCK2 && call[2] & 1 != 0
    observer.willLock(range, onFault ? .lockOnFault : .lock, task)
    if observer.holdsBackLocks { call.skip() }
  }

  func lockAllBegins(_ call: inout SystemCall, _ task: TracedTask) {
    let (current, future, onFault) = (call[0] & 1 != 0, call[0] & 2 != 0, call[0] & 4 != 0)
    let how: TracePopulate = onFault ? .lockOnFault : .lock
    if current {
      for mapping in task.space.mappings.all { observer.willLock(mapping.pages, how, task) }
    }
    if future { task.space.locksFuture = how }
    if observer.holdsBackLocks { call.skip() }
  }

  func syncBegins(_ call: SystemCall, _ task: TracedTask) {
    guard let range = pageRange(call[0], call[1]), task.space.mappings.overlaps(range) else { return }
    observer.willSync(range, flags: Int(Int32(truncatingIfNeeded: call[2])), task)
  }
}
