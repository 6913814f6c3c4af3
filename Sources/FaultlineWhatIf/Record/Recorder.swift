import CLinux
import Glibc
import Synchronization

/// How a recording came out.
public struct RecordSummary: Equatable, Sendable {
  /// Touches in the trace, the untimed among them.
  public var touches: Int
  public var untimed: Int
  /// Faults that the kernel could not report; their pages are among the untimed touches.
  public var lost: Int
  public var end: TraceEnd
  /// From the start of the program to its end, in nanoseconds.
  public var wallNanoseconds: UInt64
  public var warnings: [String]
}

/// Records the first touches of file pages by an unmodified program, its threads and its children.
///
/// The program runs under ptrace, stopped only at calls that concern its file mappings. Its file mappings are registered for
/// asynchronous userfaultfd write-protection, which turns the kernel's fault-around off, so that every first touch is a fault, and
/// perf reports the faults. Needs no privilege. `docs/recording.md` has the whole story.
///
/// Any thread may record, and several at a time; `record` returns when the program and all that it started have ended.
public struct Recorder: Sendable {
  public struct Options: Sendable {
    /// Leave fault-around on: works without userfaultfd, and a touch then stands for a fault.
    public var isCoarse = false
    /// Record faults that the kernel takes for system calls as timed touches, where that is permitted; else they are untimed.
    public var recordsKernelFaults = true
    public init() {}
  }

  public var options: Options

  public init(options: Options = Options()) { self.options = options }

  /// Runs `command` (program and arguments, the program looked up in PATH) and writes the trace to `output`.
  ///
  /// `progress` is called about ten times a second with the number of touches so far, from a thread of the recorder. What the
  /// program does with SIGINT, SIGTERM and the like is its own decision: they are passed on, and the trace ends with its end.
  /// - Throws: ``RecordError``; no file is left then.
  public func record(
    _ command: [String], output: String, progress: (@Sendable (Int) -> Void)? = nil
  ) throws(RecordError) -> RecordSummary {
    let program = try Program(command)
    let recording = Recording(program, options, output: output, progress: progress)
    let thread = Worker { recording.run() }
    thread.join()
    switch recording.result {
    case .success(let summary): return summary
    case .failure(let error):
      if recording.madeFile { unlink(output) }
      throw error
    }
  }
}

/// One recording, on two threads: the tracer's, which started it, and the sampler's.
///
/// `@unchecked Sendable`: `result` is read after the thread has ended; the session and the tracer are used under `lock`.
private final class Recording: @unchecked Sendable {
  private let program: Program
  private let options: Recorder.Options
  private let output: String
  private let progress: (@Sendable (Int) -> Void)?
  private let lock = Mutex(())
  private let isDone = Atomic(false)
  private(set) var madeFile = false
  private(set) var result: Result<RecordSummary, RecordError>

  init(_ program: Program, _ options: Recorder.Options, output: String, progress: (@Sendable (Int) -> Void)?) {
    self.program = program
    self.options = options
    self.output = output
    self.progress = progress
    result = .failure(.cannotRun(program: program.path, errno: EINTR))
  }

  func run() {
    do throws(RecordError) { result = .success(try record()) } catch { result = .failure(error) }
  }

  private func record() throws(RecordError) -> RecordSummary {
    var child = try SpawnedProgram(
      program, flags: Int32(CL_SPAWN_NO_HUGE_PAGES | (options.isCoarse ? CL_SPAWN_FOREIGN_ALLOWED : 0)))
    let sampler = try FaultSampler(process: child.process, events: [.faults], kernelFaults: options.recordsKernelFaults)
    let start = monotonicNanoseconds()
    let writer = try makeWriter(start: start)
    let files = MappedFiles()
    let session = RecordingSession(
      writer: writer, sampler: sampler, start: start, isCoarse: options.isCoarse, files: files)
    let tracer = Tracer(program: program.path, files: files, observer: session, isLenient: options.isCoarse)
    session.tracer = tracer
    session.begin(command: program.arguments)

    let signals = cl_forward_begin(child.process)
    defer { if signals >= 0 { cl_forward_end(signals) } }
    child.start()
    let reader = readSamples(sampler, session, writer)
    defer {
      isDone.store(true, ordering: .releasing)
      reader.join()
    }
    let status = try tracer.run(root: child.process) { body in lock.withLock { _ in body() } }
    if let failure = child.startFailure() { throw failure }
    return try lock.withLock { _ throws(RecordError) in try finish(session, writer, status: status, start: start) }
  }

  private func makeWriter(start: UInt64) throws(RecordError) -> TraceWriter {
    do throws(TraceError) {
      let writer = try TraceWriter(
        path: output, start: start, pageSize: Int(getpagesize()), coarse: options.isCoarse)
      madeFile = true
      return writer
    } catch { throw .trace(error) }
  }

  private func finish(
    _ session: RecordingSession, _ writer: TraceWriter, status: Int32, start: UInt64
  ) throws(RecordError) -> RecordSummary {
    session.takeSamples()
    let signal = Int(status & 0x7F)
    let end: TraceEnd = signal == 0 ? .exited(code: Int((status >> 8) & 0xFF)) : .killed(signal: signal)
    session.write(.end(end), task: 0)
    do throws(TraceError) { try writer.finish() } catch { throw .trace(error) }
    return RecordSummary(
      touches: writer.touches, untimed: writer.untimed, lost: session.lost, end: end,
      wallNanoseconds: monotonicNanoseconds() - start, warnings: session.warnings)
  }

  /// Empties the rings while the program runs between two stops.
  private func readSamples(_ sampler: FaultSampler, _ session: RecordingSession, _ writer: TraceWriter) -> Worker {
    let box = SamplingBox(session: session, writer: writer)
    return Worker { [self] in
      _ = cl_prefer_latency()
      var lastReport = monotonicNanoseconds()
      while !isDone.load(ordering: .acquiring) {
        sampler.wait(milliseconds: 20)
        // The tracer may hold the lock for long, for a scan; the rings must not overflow meanwhile.
        sampler.collect()
        let touches = lock.withLockIfAvailable { _ in
          box.session.takeSamples()
          return box.writer.touches
        }
        guard let progress, let touches, monotonicNanoseconds() - lastReport > 100_000_000 else { continue }
        lastReport = monotonicNanoseconds()
        progress(touches)
      }
    }
  }
}

/// `@unchecked Sendable`: used under the recording's lock.
private struct SamplingBox: @unchecked Sendable {
  let session: RecordingSession
  let writer: TraceWriter
}
