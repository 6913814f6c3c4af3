import Faultline
import FaultlineFS
import Glibc
import Synchronization

/// Two threads in one order: the second begins while the first is inside a commit, and goes on as far as it is let.
extension CrashStage {
  /// Runs `first`; when its commit has come to a step, `second` begins on a thread of its own and runs until it has
  /// returned or waits for that commit. If it waits it goes on after `first`.
  ///
  /// - Parameter file: what the second thread acts on.
  func interleave(
    _ file: StageFile, at step: String, _ first: () throws -> Void, with second: @escaping @Sendable () -> Void
  ) throws {
    let turn = Turn()
    file.gate.turn = turn
    defer { file.gate.turn = nil }
    var thread: pthread_t?
    device.interrupt(at: step) { [fs] in
      thread = SecondThread.start { turn.run(second) }
      // A wait inside the commit ends only with the first thread's own.
      while !turn.hasReturned, fs.waiterCount == 0 { turn.letPass() }
    }
    let result = Result { try first() }
    if let thread {
      while !turn.hasReturned { turn.letPass() }
      pthread_join(thread, nil)
    }
    try result.get()
  }
}

/// How far the second thread may go, and has gone: after each of its calls into the file system the first decides when it
/// goes on.
final class Turn: Sendable {
  private let returned = Atomic(false)
  private let arrivals = Atomic(0)
  private let grants = Atomic(0)
  private let thread = Atomic<UInt>(0)

  var hasReturned: Bool { returned.load(ordering: .acquiring) }

  /// Lets the second thread past where it is held, if it is held.
  func letPass() {
    let arrived = arrivals.load(ordering: .acquiring)
    if grants.load(ordering: .relaxed) < arrived { grants.store(arrived, ordering: .releasing) }
    sched_yield()
  }

  fileprivate func run(_ body: () -> Void) {
    thread.store(UInt(pthread_self()), ordering: .releasing)
    body()
    returned.store(true, ordering: .releasing)
  }

  /// Holds the second thread until it is let past.
  fileprivate func pass() {
    guard thread.load(ordering: .acquiring) == UInt(pthread_self()) else { return }
    let mine = arrivals.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue
    while grants.load(ordering: .acquiring) < mine { sched_yield() }
  }
}

/// A file whose handles and commits a second thread does not leave before its turn.
///
/// `@unchecked Sendable`: `turn` is set while one thread runs.
final class GatedFile: ForwardingFile, @unchecked Sendable {
  let file: ExtentFile
  fileprivate(set) var turn: Turn?

  init(_ file: ExtentFile) { self.file = file }

  func beginHandle() throws(KernelError) {
    try file.beginHandle()
    turn?.pass()
  }

  func commit(dataOnly: Bool) throws(KernelError) {
    try file.commit(dataOnly: dataOnly)
    turn?.pass()
  }
}

/// Starts threads of the host.
private enum SecondThread {
  private final class Box {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
  }

  static func start(_ body: @escaping () -> Void) -> pthread_t {
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(body))
    let status = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
        return nil
      }, box.toOpaque())
    precondition(status == 0, "the host has no more threads")
    return thread
  }
}
