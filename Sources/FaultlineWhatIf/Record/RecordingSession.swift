import CLinux
import Glibc

/// The observer that writes a trace: registers mappings so that every first touch faults, turns fault samples into touches, and
/// accounts for pages that no sample showed.
///
/// Confined to the recorder's lock: the tracer's thread calls it at stops, the sampler's thread while the program runs.
final class RecordingSession: TraceObserver {
  private let writer: TraceWriter
  private let sampler: FaultSampler
  private let start: UInt64
  private let isCoarse: Bool
  private unowned let files: MappedFiles
  weak var tracer: Tracer?

  private let pageShift = UInt64(getpagesize().trailingZeroBitCount)
  private var spaces: [Int: RecordedSpace] = [:]
  private var threads: [Int32: (task: Int, space: RecordedSpace)] = [:]
  private var writtenFiles = 0
  private var warned: Set<String> = []
  private var lost = 0
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

  // MARK: Samples

  var progress: Int { writer.touches }
  func save() { writer.flush() }

  /// Writes what the rings hold: everything that happened before the call by the thread that is stopped now.
  func takeSamples() {
    let batch = sampler.drain()
    for sample in batch.samples { take(sample) }
    if batch.lost > 0 {
      lost += batch.lost
      write(.lost(batch.lost), task: 0)
    }
    for (thread, name) in batch.names {
      guard let task = tracer?.tasks[thread], task.name != name, threads[thread] != nil else { continue }
      task.name = name
      declare(task)
    }
  }

  private func take(_ sample: FaultSample) {
    guard let (task, space) = threads[sample.thread] else { return }
    let page = sample.address >> pageShift
    guard let mapping = space.traced.mappings.find(page) else { return }
    let access = access(of: sample, in: mapping, space)
    if space.untimed.contains(page) || space.inherited.contains(page) || !space.timed.insert(page) {
      // A page is recorded again only for the write that follows a read and faults by itself.
      guard mapping.protection.contains(.write), access != .execute,
        access == .write || space.stores(at: sample.instruction) == nil
      else { return }
      guard space.written.insert(page) else { return }
      return writer.write(
        TraceTouch(kind: .timed, access: .write, task: task, page: page, time: sample.time &- start))
    }
    if access == .write { _ = space.written.insert(page) }
    writer.write(
      TraceTouch(
        kind: .timed, access: access, task: task, page: page, time: sample.time > start ? sample.time - start : 0))
  }

  private func access(of sample: FaultSample, in mapping: FileMapping, _ space: RecordedSpace) -> TraceAccess {
    let longestInstruction: UInt64 = 15
    if sample.address &- sample.instruction < longestInstruction { return .execute }
    guard mapping.protection.contains(.write) else { return .read }
    return space.stores(at: sample.instruction) == true ? .write : .read
  }

  // MARK: Scans

  /// Compares the page table with the touches, and records what is missing.
  private func scan(_ range: Range<UInt64>, _ space: RecordedSpace, task: Int) {
    let mappings = space.traced.mappings.overlapping(range).filter(\.isWatched)
    guard !mappings.isEmpty else { return }
    // First the page table, then the rings: a sample is older than the entry that its fault makes, so what is present now and not in
    // the rings then was not sampled.
    let present = mappings.map { mapping in
      var runs: [PresentRun] = []
      let isReadable = space.forEachRun(in: mapping.pages) { run in if run.isPresent { runs.append(run) } }
      if !isReadable {
        warn("the page table of process \(space.traced.process) cannot be read: untimed touches are missing")
      }
      return runs
    }
    takeSamples()
    var found = TraceScan(
      range: TraceRange(process: space.number, page: range.lowerBound, pages: UInt64(range.count)), present: 0,
      touches: 0,
      untimed: 0, inherited: 0, gone: 0)
    let time = now()
    for (mapping, runs) in zip(mappings, present) {
      let known =
        space.timed.count(mapping.pages) + space.untimed.count(mapping.pages) + space.inherited.count(mapping.pages)
      var fresh: UInt64 = 0
      let before = found.present
      for run in runs {
        let isCopy = !mapping.isShared && !run.isFile
        let pages = UInt64(run.pages.count)
        // Nearly always nothing is missing, and a scan stops the program: whole words instead of pages.
        if space.timed.count(run.pages) == pages, !isCopy || space.written.count(run.pages) == pages {
          found.present += pages
          found.touches += pages
          continue
        }
        for page in run.pages where account(page, isCopy: isCopy, space, &found, task: task, time: time) { fresh += 1 }
      }
      let still = found.present - before - fresh
      found.gone += known > still ? known - still : 0
    }
    write(.scan(found), task: task)
  }

  /// Counts a present page, and records what is not known about it yet. True when there was no touch of it.
  private func account(
    _ page: UInt64, isCopy: Bool, _ space: RecordedSpace, _ found: inout TraceScan, task: Int, time: UInt64
  ) -> Bool {
    found.present += 1
    if space.inherited.contains(page) {
      found.inherited += 1
      return false
    }
    if space.timed.contains(page) {
      found.touches += 1
      if isCopy, space.written.insert(page) { writeUntimed(.write, page, task: task, time: time) }
      return false
    }
    found.untimed += 1
    let isFresh = space.untimed.insert(page)
    if isFresh {
      if isCopy { _ = space.written.insert(page) }
      writeUntimed(isCopy ? .write : .read, page, task: task, time: time)
    } else if isCopy, space.written.insert(page) {
      writeUntimed(.write, page, task: task, time: time)
    }
    return isFresh
  }

  private func writeUntimed(_ access: TraceAccess, _ page: UInt64, task: Int, time: UInt64) {
    writer.write(TraceTouch(kind: .untimed, access: access, task: task, page: page, time: time))
  }

  // MARK: Threads and processes

  func taskBegan(_ task: TracedTask) {
    guard let number = task.space.number, let space = spaces[number] else { return }
    threads[task.thread] = (task.index, space)
    declare(task)
  }

  private func declare(_ task: TracedTask) {
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

  private func watch(_ mapping: FileMapping, _ space: RecordedSpace) {
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

  // MARK: Mappings

  func willMap(_ request: inout MapRequest, _ task: TracedTask) {
    guard !isCoarse else { return }
    let (populate, locked, synchronous, huge): (UInt64, UInt64, UInt64, UInt64) = (0x8000, 0x2000, 0x80000, 0x40000)
    guard request.flags & (synchronous | huge) == 0 else { return }
    request.flags &= ~(populate | locked)
    // The kernel registers no shared mapping that can never be written; nothing is written, so a private one shows the same touches.
    if request.isReadOnly, request.flags & 3 != 2 { request.flags = request.flags & ~3 | 2 }
  }

  func didMap(_ mapping: FileMapping, flags: UInt64, _ task: TracedTask) {
    guard let space = recorded(task) else { return }
    writeMap(mapping, flags: flags, task)
    let range = TraceRange(process: space.number, page: mapping.pages.lowerBound, pages: UInt64(mapping.pages.count))
    if flags & 0x8000 != 0 { write(.populate(range, how: .mapPopulate), task: task.index) }
    if flags & 0x2000 != 0 { write(.populate(range, how: .mapLocked), task: task.index) }
    if let how = space.traced.locksFuture { write(.populate(range, how: how), task: task.index) }
    watch(mapping, space)
  }

  private func writeMap(_ mapping: FileMapping, flags: UInt64, _ task: TracedTask) {
    writeFiles()
    write(
      .map(
        TraceMapping(
          range: range(mapping.pages, task), protection: mapping.protection, flags: flags, file: mapping.file,
          filePage: mapping.filePage, isText: mapping.isText)),
      task: task.index)
  }

  func willDrop(_ range: Range<UInt64>, _ task: TracedTask) {
    if let space = recorded(task) { scan(range, space, task: task.index) }
  }

  func didDrop(_ range: Range<UInt64>, unmapped: Bool, _ task: TracedTask) {
    recorded(task)?.forget(range)
    if unmapped { write(.unmap(self.range(range, task)), task: task.index) }
  }

  func didMove(_ old: Range<UInt64>, to new: Range<UInt64>, _ task: TracedTask) {
    guard let space = recorded(task) else { return }
    if old.lowerBound != new.lowerBound {
      space.forget(new)
      space.move(old, to: new.lowerBound)
    }
    if new.count < old.count {
      space.forget((new.lowerBound + UInt64(new.count))..<(new.lowerBound + UInt64(old.count)))
    }
    write(
      .remap(
        process: space.number, page: old.lowerBound, pages: UInt64(old.count), newPage: new.lowerBound,
        newPages: UInt64(new.count)), task: task.index)
    for mapping in space.traced.mappings.overlapping(new) { watch(mapping, space) }
  }

  func didProtect(_ range: Range<UInt64>, _ protection: TraceProtection, _ task: TracedTask) {
    write(.protect(self.range(range, task), protection: protection), task: task.index)
  }

  // MARK: Advice

  func willAdvise(_ range: Range<UInt64>, advice: Int, _ task: TracedTask) -> Bool {
    let (populateRead, populateWrite) = (22, 23)
    guard advice == populateRead || advice == populateWrite else {
      write(.advise(self.range(range, task), advice: advice), task: task.index)
      return true
    }
    let how: TracePopulate = advice == populateRead ? .advisePopulateRead : .advisePopulateWrite
    write(.populate(self.range(range, task), how: how), task: task.index)
    return isCoarse
  }

  func willLock(_ range: Range<UInt64>, _ how: TracePopulate, _ task: TracedTask) {
    write(.populate(self.range(range, task), how: how), task: task.index)
  }

  func willSync(_ range: Range<UInt64>, flags: Int, _ task: TracedTask) {
    write(.sync(self.range(range, task), flags: flags), task: task.index)
  }

  func fileEvent(_ event: TraceEvent, _ task: TracedTask) {
    writeFiles()
    write(event, task: task.index)
  }

  // MARK: Records

  private func write(_ event: TraceEvent, task: Int) { writer.write(event, task: task, time: now()) }

  /// Writes the files that have appeared: a file's record comes before all that names it.
  private func writeFiles() {
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

  private func warn(_ text: String) {
    guard warned.insert(text).inserted else { return }
    warnings.append(text)
    write(.warning(text), task: 0)
  }

  private func recorded(_ task: TracedTask) -> RecordedSpace? { task.space.number.flatMap { spaces[$0] } }

  private func range(_ pages: Range<UInt64>, _ task: TracedTask) -> TraceRange {
    TraceRange(process: task.space.number ?? 0, page: pages.lowerBound, pages: UInt64(pages.count))
  }

  private func now() -> UInt64 {
    let time = monotonicNanoseconds()
    return time > start ? time - start : 0
  }
}

func monotonicNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
