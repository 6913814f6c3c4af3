import CLinux
import Glibc

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
    let options = options
    return try onOwnThread { () throws(RecordError) in try Self.record(program, options, output, progress) }
  }

  private static func record(
    _ program: Program, _ options: Options, _ output: String, _ progress: (@Sendable (Int) -> Void)?
  ) throws(RecordError) -> RecordSummary {
    var madeFile = false
    do throws(RecordError) {
      var run = TracedRun(program)
      run.usesHugePages = false
      run.allowsUserfault = options.isCoarse
      run.asksForKernelFaults = options.recordsKernelFaults
      run.progress = progress
      let (session, outcome) = try run.run { (sampler, files, start) throws(RecordError) in
        let writer = try makeWriter(output, start: start, coarse: options.isCoarse)
        madeFile = true
        let session = RecordingSession(
          writer: writer, sampler: sampler, start: start, isCoarse: options.isCoarse, files: files)
        session.begin(command: program.arguments)
        return session
      }
      return try session.finish(outcome)
    } catch {
      if madeFile { unlink(output) }
      throw error
    }
  }

  private static func makeWriter(_ output: String, start: UInt64, coarse: Bool) throws(RecordError) -> TraceWriter {
    do throws(TraceError) {
      return try TraceWriter(path: output, start: start, pageSize: Int(getpagesize()), coarse: coarse)
    } catch { throw .trace(error) }
  }
}
