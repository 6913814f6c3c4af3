import Faultline
import FaultlineFS

extension CrashFinding {
  /// - Parameters:
  ///   - events: those before the crash; the trial may have gone on to more, none of which made anything durable.
  ///   - kept: for each line the number of its first stores that survive.
  init<Scenario>(of trial: CrashTrial<Scenario>, events: Int, kept: [Int], problems: [String]) {
    let losses = zip(trial.lines.lines, kept).compactMap { line, kept in
      kept < line.stores(before: events) ? SavedCrash.Loss(line: line.number, kept: kept) : nil
    }
    self.problems = problems
    saved = SavedCrash(scenario: trial.scenario.name, SavedCrash.Cut(events: events, losses: losses))
    story = CrashStory(trial, events, kept).lines
    image = trial.image(kept)
  }

  /// One of a crash during the recovery after another.
  ///
  /// - Parameter kept: what survived the first.
  init<Scenario>(_ finding: CrashFinding, inRecoveryOf trial: CrashTrial<Scenario>, _ kept: [Int]) {
    let first = CrashFinding(of: trial, events: trial.event, kept: kept, problems: finding.problems)
    problems = finding.problems
    saved = SavedCrash(scenario: first.saved.scenario, first.saved.cut, recovery: finding.saved.cut)
    story = first.story + ["recovery begins"] + finding.story
    image = finding.image
  }
}

/// A crash told event by event.
struct CrashStory {
  /// What a person can still read.
  private static let lineLimit = 60

  private(set) var lines: [String] = []

  init<Scenario>(_ trial: CrashTrial<Scenario>, _ events: Int, _ kept: [Int]) {
    var lost: [Int: Set<UInt64>] = [:]
    for (line, kept) in zip(trial.lines.lines, kept) {
      for store in line.stores.dropFirst(kept) where store.event < events {
        lost[store.event, default: []].insert(line.number)
      }
    }
    let happened = trial.recording.events.prefix(events)
    let start = Self.start(happened, firstLost: lost.keys.min() ?? events)
    for (index, event) in happened.enumerated() {
      if index < start, !Self.isOperation(event) { continue }
      add(Self.text(event, lost[index] ?? [], trial.scenario.place), isIndented: !Self.isOperation(event))
    }
    lines.append("the power goes after event \(events)")
    let limit = Self.lineLimit
    guard lines.count > limit else { return }
    lines.replaceSubrange(limit / 2..<lines.count - limit / 2, with: ["… \(lines.count - limit) more …"])
  }

  /// Everything is told from the last operation before the crash, or before the first loss, on.
  private static func start(_ events: ArraySlice<DeviceRecording.Event>, firstLost: Int) -> Int {
    events.prefix(min(firstLost + 1, events.count)).lastIndex(where: isOperation) ?? 0
  }

  private static func isOperation(_ event: DeviceRecording.Event) -> Bool {
    if case .note(.operation) = event { return true }
    return false
  }

  private mutating func add(_ text: String, isIndented: Bool) {
    let line = (isIndented ? "  " : "") + text
    if lines.last != line { lines.append(line) }
  }

  private static func text(
    _ event: DeviceRecording.Event, _ lost: Set<UInt64>, _ place: (UInt64) -> String?
  ) -> String {
    switch event {
    case .store(let range, let data):
      let what = data == nil ? "zeroes" : "stores"
      let name = place(range.lowerBound).map { " (\($0))" } ?? ""
      return "\(what) \(range.count) bytes at \(range.lowerBound)\(name)" + Self.loss(lost, of: range)
    case .flush(let range, let thread):
      return "flushes \(range.count) bytes at \(range.lowerBound)\(Self.name(thread))"
    case .fence(let thread): return "fence\(Self.name(thread))"
    case .note(.operation(let text)): return text
    case .note(.commit(let step, let transaction)): return "commit of transaction \(transaction): \(step)"
    case .note(.writableEntry(let inode, let page, let pages, let devicePage, let synchronous)):
      let count = pages == 1 ? "page \(page)" : "pages \(page)-\(page &+ pages &- 1)"
      return "\(count) of file \(inode) can be stored to\(synchronous ? ", in a synchronous mapping" : ""): "
        + "page \(devicePage) of the device"
    }
  }

  private static func name(_ thread: Int) -> String { thread == 0 ? "" : " (thread \(thread + 1))" }

  private static func loss(_ lost: Set<UInt64>, of range: Range<UInt64>) -> String {
    guard !lost.isEmpty else { return "" }
    let touched = CacheLine.lines(of: range).count
    return lost.count == touched ? ": lost" : ": lost in \(lost.count) of \(touched) lines"
  }
}
