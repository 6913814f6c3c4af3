import CLinux
import Glibc

/// The observer that writes a trace: registers mappings so that every first touch faults, turns fault samples into touches, and
/// accounts for pages that no sample showed.
///
/// Confined to the recorder's lock: the tracer's thread calls it at stops, the sampler's thread while the program runs.
final class RecordingSession: TraceObserver {
  let writer: TraceWriter
  let sampler: FaultSampler
  let start: UInt64
  let isCoarse: Bool
  unowned let files: MappedFiles
  weak var tracer: Tracer?

  let pageShift = UInt64(getpagesize().trailingZeroBitCount)
  var spaces: [Int: RecordedSpace] = [:]
  var threads: [Int32: (task: Int, space: RecordedSpace)] = [:]
  private var writtenFiles = 0
  private var warned: Set<String> = []
  var lost = 0
  private var warnings: [String] = []

  init(writer: TraceWriter, sampler: FaultSampler, start: UInt64, isCoarse: Bool, files: MappedFiles) {
    self.writer = writer
    self.sampler = sampler
    self.start = start
    self.isCoarse = isCoarse
    self.files = files
  }

  var holdsBackLocks: Bool { !isCoarse }
  var wantsFileReads: Bool { true }

  /// The records that every trace begins with.
  func begin(command: [String]) {
    var name = utsname()
    uname(&name)
    write(.commandLine(command), task: 0)
    write(
      .environment(
        TraceEnvironment(
          kernelRelease: text(&name.release), machine: text(&name.machine), userID: Int(geteuid()),
          kernelFaultsVisible: sampler.seesKernelFaults)),
      task: 0)
  }

  /// Writes the last record and closes the trace.
  func finish(_ outcome: TracedOutcome) throws(RecordError) -> RecordSummary {
    write(.end(outcome.end), task: 0)
    do throws(TraceError) { try writer.finish() } catch { throw .trace(error) }
    return RecordSummary(
      touches: writer.touches, untimed: writer.untimed, lost: lost, end: outcome.end,
      wallNanoseconds: outcome.wallNanoseconds, warnings: warnings)
  }

  private func text<T>(_ field: inout T) -> String {
    withUnsafeBytes(of: &field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  // MARK: Threads and processes

  func taskBegan(_ task: TracedTask) {
    guard let number = task.space.number, let space = spaces[number] else { return }
    threads[task.thread] = (task.index, space)
    declare(task)
  }

  func declare(_ task: TracedTask) {
    guard let number = task.space.number else { return }
    write(
      .task(
        TraceTask(
          index: task.index, threadID: Int(task.thread), processID: Int(task.process), process: number, name: task.name)
      ),
      task: task.index)
  }

  func taskExits(_ task: TracedTask) {}

  func taskEnded(_ task: TracedTask, status: Int32) {
    guard threads.removeValue(forKey: task.thread) != nil else { return }
    write(.taskExit(status: Int(status)), task: task.index)
  }

  func spaceBegan(_ space: TracedSpace, _ task: TracedTask, parent: TracedSpace?, program: String) {
    guard let number = space.number else { return }
    let recorded = RecordedSpace(space, number: number, pageShift: pageShift)
    spaces[number] = recorded
    if let parent = parent?.number {
      write(.fork(parent: parent, child: number), task: task.index)
    } else {
      writeFiles()
      write(.exec(process: number, path: program), task: task.index)
      warnOfLostPrivilege(program)
    }
    taskBegan(task)
    // A forked child does not stand still yet.
    guard parent == nil else { return }
    for mapping in space.mappings.all { writeMap(mapping, flags: mapping.isShared ? 1 : 2, task) }
    watchAll(recorded, task)
    scan(recorded, task)
  }

  func spaceStarts(_ space: TracedSpace, _ task: TracedTask) {
    guard let number = space.number, let recorded = spaces[number] else { return }
    watchAll(recorded, task)
    for mapping in space.mappings.all where mapping.isWatched {
      _ = recorded.forEachRun(in: mapping.pages) { run in
        for page in run.pages { _ = recorded.inherited.insert(page) }
      }
    }
  }

  private func watchAll(_ space: RecordedSpace, _ task: TracedTask) {
    guard !isCoarse, let tracer else { return }
    let result = space.openUserfault(tracer, task)
    if result != 0 { return refuse(result) }
    for mapping in space.traced.mappings.all { watch(mapping, space) }
  }

  /// What the kernel touched while it set the program up.
  private func scan(_ space: RecordedSpace, _ task: TracedTask) {
    if let all = wholeSpace(space) { scan(all, space, task: task.index) }
  }

  func watch(_ mapping: FileMapping, _ space: RecordedSpace) {
    guard !isCoarse else { return }
    let result = space.watch(mapping.pages)
    if result != 0 {
      warn("first touches of '\(files.all[mapping.file].path)' cannot be told apart: \(systemErrorText(-result))")
    }
  }

  /// The kernel has no userfaultfd that suits: the whole recording would be coarse without saying so.
  private func refuse(_ result: Int32) {
    guard result != -ESRCH else { return }
    if result == -EMFILE {
      return warn("a process has no descriptor left for the recorder: its touches are seen with fault-around")
    }
    tracer?.fail(
      .unavailable(
        what: "userfaultfd write-protection of files (\(systemErrorText(-result)))",
        remedy:
          "Linux 6.7 or later with CONFIG_USERFAULTFD, and a sandbox that permits the call, would enable it; or use --coarse"
      ))
  }

  private func wholeSpace(_ space: RecordedSpace) -> Range<UInt64>? {
    guard let first = space.traced.mappings.all.first, let last = space.traced.mappings.all.last else { return nil }
    return first.pages.lowerBound..<last.pages.upperBound
  }

  func spaceEnds(_ space: TracedSpace, _ task: TracedTask) {
    guard let number = space.number, let recorded = spaces[number], let all = wholeSpace(recorded) else { return }
    scan(all, recorded, task: task.index)
  }

  func spaceEnded(_ space: TracedSpace, _ task: TracedTask) {
    guard let number = space.number else { return }
    spaces[number] = nil
    write(.processEnd(process: number), task: task.index)
  }

  // MARK: Records

  func write(_ event: TraceEvent, task: Int) { writer.write(event, task: task, time: now()) }

  /// Writes the files that have appeared: a file's record comes before all that names it.
  func writeFiles() {
    while writtenFiles < files.all.count {
      write(.file(files.all[writtenFiles]), task: 0)
      writtenFiles += 1
    }
  }

  private func warnOfLostPrivilege(_ program: String) {
    var status = stat()
    guard stat(program, &status) == 0, status.st_mode & (S_ISUID | S_ISGID) != 0, geteuid() != 0 else { return }
    warn("'\(program)' is set-user-id or set-group-id; recorded, it runs without that privilege")
  }

  func warn(_ text: String) {
    guard warned.insert(text).inserted else { return }
    warnings.append(text)
    write(.warning(text), task: 0)
  }

  func recorded(_ task: TracedTask) -> RecordedSpace? { task.space.number.flatMap { spaces[$0] } }

  func range(_ pages: Range<UInt64>, _ task: TracedTask) -> TraceRange {
    TraceRange(process: task.space.number ?? 0, page: pages.lowerBound, pages: UInt64(pages.count))
  }

  func now() -> UInt64 {
    let time = monotonicNanoseconds()
    return time > start ? time - start : 0
  }
}
