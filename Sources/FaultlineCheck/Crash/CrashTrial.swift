import Faultline
import FaultlineFS

/// One scenario that has run, and a place in its recording: what is durable there, what may be lost, what has been
/// promised.
struct CrashTrial<Scenario: CrashScenario> {
  let scenario: Scenario
  let recording: DeviceRecording
  let scratch: ScratchDevice
  private(set) var lines: VolatileLines
  /// Events that have happened.
  private(set) var event = 0
  private let promises: [(event: Int, promise: Scenario.Promise)]
  private let entries: [(event: Int, point: DevicePoint)]
  private var promiseCount = 0
  private var entryCount = 0

  init(_ scenario: Scenario) throws {
    let device = try RecordingDevice(pageCount: scenario.pageCount)
    try scenario.prepare(device)
    let recorder = CrashRecorder<Scenario.Promise>(device)
    device.begin()
    try scenario.run(recorder)
    guard let recording = device.end() else { throw CrashScenarioError.recordsItself }
    self.scenario = scenario
    self.recording = recording
    promises = recorder.promises
    entries = recording.events.enumerated().compactMap { index, event in
      guard case .note(let point) = event, case .writableEntry = point else { return nil }
      return (index + 1, point)
    }
    scratch = try ScratchDevice(holding: recording.start)
    lines = VolatileLines(on: scratch)
  }

  var isAtEnd: Bool { event == recording.events.count }

  /// How much had been promised: the same image is another case once this has grown.
  var version: Int { promiseCount + entryCount }

  var moment: CrashMoment<Scenario.Promise> {
    CrashMoment(
      promises: promises.prefix(promiseCount).map(\.promise)[...], entries: entries.prefix(entryCount).map(\.point)[...]
    )
  }

  /// Whether the next event makes something durable or changes what is promised.
  var isBeforeChange: Bool {
    guard !isAtEnd else { return true }
    return switch recording.events[event] {
    case .store, .flush: false
    case .fence(let thread): lines.fenceSettles(thread)
    case .note: true
    }
  }

  /// Goes past the next event.
  mutating func advance() {
    switch recording.events[event] {
    case .store(let range, let data): store(range, data)
    case .flush(let range, let thread): lines.flush(range, thread: thread)
    case .fence(let thread): if lines.fenceSettles(thread) { lines.fence(thread) }
    case .note: break
    }
    event += 1
    while promiseCount < promises.count, promises[promiseCount].event <= event { promiseCount += 1 }
    while entryCount < entries.count, entries[entryCount].event <= event { entryCount += 1 }
  }

  private mutating func store(_ range: Range<UInt64>, _ data: Int?) {
    guard let data else { return lines.store(range, event: event) { _ in 0 } }
    recording.data.withUnsafeBufferPointer { bytes in
      lines.store(range, event: event) { bytes[data + Int($0 - range.lowerBound)] }
    }
  }

  /// The hash of the image in which the given numbers of stores survive.
  func hash(_ kept: [Int]) -> UInt64 {
    var hash = lines.durableHash
    for (line, count) in zip(lines.lines, kept) { hash ^= line.hashes[count] }
    return hash
  }

  /// What is broken after a crash in which the given numbers of stores survive, of each line its first ones.
  func problems(_ kept: [Int]) -> [String] {
    build(kept)
    defer { scratch.rollBack() }
    do {
      return try scenario.check(scratch, at: moment)
    } catch {
      return ["recovery failed: \(error)"]
    }
  }

  /// The bytes of the device after that crash.
  func image(_ kept: [Int]) -> [UInt8] {
    build(kept)
    defer { scratch.rollBack() }
    return Array(UnsafeRawBufferPointer(start: scratch.bytes, count: Int(scratch.byteCount)))
  }

  private func build(_ kept: [Int]) {
    for (line, count) in zip(lines.lines, kept) where count > 0 {
      line.content(surviving: count).store(on: scratch, line: line.number)
    }
  }
}

/// A scenario that cannot be explored.
public enum CrashScenarioError: Error, Hashable, Sendable, CustomStringConvertible {
  /// It ended the recording of its device itself.
  case recordsItself

  public var description: String {
    switch self {
    case .recordsItself: "the scenario ended the recording of its device; leave begin() and end() to the explorer"
    }
  }
}
