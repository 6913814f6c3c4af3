import FaultlineWhatIf
import Glibc

/// Writes traces of imagined programs: one file of a given size, mapped where the script says.
struct ReplayScript {
  static let mapPage: UInt64 = 0x7F0000000  // a multiple of 512, so windows start at the file's first page

  private var events: [(task: Int, event: TraceEvent)] = []
  private var touches: [Int: [TraceTouch]] = [:]

  init(
    pages: UInt64, fileSystem: String = "ext4", readAheadKB: Int? = 128, owned: Bool = true, resident: [TraceRun]? = []
  ) {
    add(.commandLine(["program", "argument"]))
    add(
      .environment(TraceEnvironment(kernelRelease: "6.18.44", machine: "x86_64", userID: 0, kernelFaultsVisible: true)))
    add(.task(TraceTask(index: 0, threadID: 10, processID: 10, process: 0, name: "program")))
    add(
      .file(
        TraceFile(
          id: 0, path: "/data/file", bytes: pages * 4096, device: 1, inode: 2, isOwnedOrWritable: owned,
          resident: resident,
          fileSystem: fileSystem, readAheadKB: readAheadKB)))
  }

  mutating func add(_ event: TraceEvent, task: Int = 0) { events.append((task, event)) }

  mutating func map(
    pages: UInt64, at page: UInt64 = mapPage, filePage: UInt64 = 0, process: Int = 0, shared: Bool = true,
    writable: Bool = false, text: Bool = false, openFile: Int? = nil
  ) {
    add(
      .map(
        TraceMapping(
          range: TraceRange(process: process, page: page, pages: pages),
          protection: writable ? [.read, .write] : .read, flags: shared ? 1 : 2, file: 0, filePage: filePage,
          isText: text, openFile: openFile)))
  }

  mutating func touch(
    _ pages: some Sequence<UInt64>, _ access: TraceAccess = .read, at base: UInt64 = mapPage, task: Int = 0,
    kind: TraceTouch.Kind = .timed
  ) {
    touches[events.count, default: []] += pages.map {
      TraceTouch(kind: kind, access: access, task: task, page: base + $0, time: 0)
    }
  }

  /// The trace of everything so far.
  func trace() throws -> Trace {
    var template = Array("/tmp/faultline-test-XXXXXX".utf8CString)
    close(mkstemp(&template))
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { unlink(path) }
    let writer = try TraceWriter(path: path, start: 0, pageSize: 4096)
    for index in 0...events.count {
      for touch in touches[index] ?? [] { writer.write(touch) }
      if index < events.count { writer.write(events[index].event, task: events[index].task, time: UInt64(index)) }
    }
    writer.write(.end(.exited(code: 0)), task: 0, time: UInt64(events.count))
    try writer.finish()
    return try Trace(path: path)
  }

  /// The answer for one policy alone.
  func answer(_ policy: Policy = .asRecorded, cache: CacheStart) throws -> WhatIfReport {
    var question = WhatIf()
    question.policies = [policy]
    question.asksStandard = false
    question.cache = cache
    return try question.answer(on: try trace(), costs: FixedCostModel())
  }

  /// What the replay counts under one policy.
  func counts(_ policy: Policy = .asRecorded, cache: CacheStart = .cold) throws -> ReplayCounts {
    try answer(policy, cache: cache).outcomes[0].counts
  }
}
