import CLinux
import Glibc
import Synchronization

/// How a traced program ended.
struct TracedOutcome {
  var end: TraceEnd
  /// From its `execve` to the end of the last process.
  var wallNanoseconds: UInt64
}

/// One run of a program under a tracer and a fault sampler, on two threads: the calling one, which must be the run's own because ptrace
/// ties the program to it, and one that empties the sampler's rings while the program runs between two stops.
struct TracedRun {
  let program: Program
  /// An entry of 2 MiB would hide the touches of its pages.
  var usesHugePages = true
  var events: [FaultSampler.Event] = [.faults]
  var asksForKernelFaults = true
  var allowsUserfault = false
  /// Called about ten times a second with the observer's progress, on the second thread.
  var progress: (@Sendable (Int) -> Void)?

  init(_ program: Program) { self.program = program }

  /// Runs the program to its end. `prepare` makes the observer; its third argument is the start in CLOCK_MONOTONIC nanoseconds.
  func run<Observer: TraceObserver>(
    prepare: (FaultSampler, MappedFiles, UInt64) throws(RecordError) -> Observer
  ) throws(RecordError) -> (Observer, TracedOutcome) {
    var child = try SpawnedProgram(program, usesHugePages: usesHugePages)
    let sampler = try FaultSampler(process: child.process, events: events, kernelFaults: asksForKernelFaults)
    let files = MappedFiles()
    let start = monotonicNanoseconds()
    let observer = try prepare(sampler, files, start)
    let tracer = Tracer(program: program.path, files: files, observer: observer, allowsUserfault: allowsUserfault)
    observer.tracer = tracer

    let signals = cl_forward_begin(child.process)
    defer { if signals >= 0 { cl_forward_end(signals) } }
    child.start()
    let reader = SampleReader(sampler, observer, progress) {
      // The program has gone and left others behind, who do not hear the terminal.
      if tracer.hasRootEnded, signals >= 0, cl_forward_count(signals) > 0 { tracer.killAll() }
    }
    defer { reader.stop() }
    let status = try tracer.run(root: child.process) { body in reader.lock.withLock { _ in body() } }
    if let failure = child.startFailure() { throw failure }
    reader.lock.withLock { _ in observer.takeSamples() }
    let signal = Int(status & 0x7F)
    let end: TraceEnd = signal == 0 ? .exited(code: Int((status >> 8) & 0xFF)) : .killed(signal: signal)
    return (observer, TracedOutcome(end: end, wallNanoseconds: monotonicNanoseconds() - start))
  }
}

/// The second thread of a run.
///
/// `@unchecked Sendable`: the observer is used under `lock` only, by either thread.
private final class SampleReader: @unchecked Sendable {
  let lock = Mutex(())
  private let sampler: FaultSampler
  private let observer: any TraceObserver
  private let progress: (@Sendable (Int) -> Void)?
  /// Called every few milliseconds, under the lock.
  private let tick: () -> Void
  private let isDone = Atomic(false)
  private var worker: Worker?

  init(
    _ sampler: FaultSampler, _ observer: any TraceObserver, _ progress: (@Sendable (Int) -> Void)?,
    tick: @escaping () -> Void
  ) {
    self.tick = tick
    self.sampler = sampler
    self.observer = observer
    self.progress = progress
    worker = Worker { [self] in read() }
  }

  func stop() {
    isDone.store(true, ordering: .releasing)
    worker?.join()
    worker = nil
  }

  private func read() {
    _ = cl_prefer_latency()
    var lastReport = monotonicNanoseconds()
    while !isDone.load(ordering: .acquiring) {
      sampler.wait(milliseconds: 20)
      // The tracer may hold the lock for long, for a scan; the rings must not overflow meanwhile.
      sampler.collect()
      let isDue = monotonicNanoseconds() - lastReport > 100_000_000
      let value = lock.withLockIfAvailable { _ in
        observer.takeSamples()
        tick()
        if isDue { observer.save() }
        return observer.progress
      }
      guard isDue, let value else { continue }
      lastReport = monotonicNanoseconds()
      progress?(value)
    }
  }
}
