import Faultline

/// Runs one trace through the engine under one policy, on one thread.
///
/// Only chosen files are mapped, so what the engine counts is theirs. Touches are issued in the order of the trace; one
/// that finds no mapping, or ends in a signal, counts nothing, as on the real machine.
struct Replayer: ~Copyable {
  /// Touches between two looks at the progress callback.
  private static let touchesPerTurn = 1 << 20

  let policy: Policy
  let chosen: ChosenFiles
  let machine: Machine
  let files: EngineFiles
  private var cursor: TraceCursor
  private var spaces = ReplaySpaces()
  private var task = FaultTask()
  /// Touches that went through.
  private(set) var touches = 0
  /// Those of them that a scan found.
  private(set) var untimed = 0
  /// Records that the engine refused: a damaged trace, or a call that it does not know.
  private(set) var refused = 0

  init(_ trace: Trace, chosen: ChosenFiles, policy: Policy, cache: CacheStart, rules: KernelRules) throws(WhatIfError) {
    var rules = rules
    rules.faultAroundBytes = policy.faultAroundBytes
    do throws(KernelError) {
      machine = try Machine(rules: rules, frameCount: chosen.framesNeeded, contents: .none)
    } catch {
      throw .engine(error)
    }
    self.policy = policy
    self.chosen = chosen
    files = EngineFiles(chosen, machine: machine, policy: policy, cache: cache)
    cursor = trace.makeCursor()
  }

  /// Replays everything.
  ///
  /// - Parameter progress: called now and then with the bytes of the trace that are done.
  mutating func run(progress: (Int) -> Void) throws(WhatIfError) -> ReplayCounts {
    var pending: TraceTouch?
    while pending != nil || !cursor.isAtEnd {
      if let touch = pending ?? cursor.nextTouch() {
        pending = issue(from: touch)
      } else if let record = cursor.nextRecord() {
        do throws(KernelError) {
          if try !apply(record) { refused += 1 }
        } catch {
          throw .engine(error)
        }
      }
      progress(cursor.bytesRead)
    }
    return counts()
  }

  /// Issues `first` and what follows it by the same thread.
  ///
  /// - Returns: the touch that is somebody else's; nil when a record of another kind or the end comes next.
  private mutating func issue(from first: TraceTouch) -> TraceTouch? {
    guard let space = spaces.space(ofTask: first.task) else {
      // A thread whose process mapped no chosen file.
      var next: TraceTouch? = first
      while let touch = next, touch.task == first.task { next = cursor.nextTouch() }
      return next
    }
    return issue(from: first, in: space)
  }

  private mutating func issue(from first: TraceTouch, in space: AddressSpace) -> TraceTouch? {
    var touch = first
    for _ in 0..<Replayer.touchesPerTurn {
      if space.access(VirtualAddress(page: touch.page), touch.engineAccess, by: &task) == nil {
        touches &+= 1
        if touch.isUntimed { untimed &+= 1 }
      }
      guard let next = cursor.nextTouch() else { return nil }
      touch = next
      if touch.task != first.task { break }
    }
    return touch
  }

  private mutating func apply(_ record: TraceRecord) throws(KernelError) -> Bool {
    try ReplayCalls(policy: policy, files: files, machine: machine).apply(record, to: &spaces, by: &task)
  }

  private func counts() -> ReplayCounts {
    var counts = ReplayCounts()
    counts.majorFaults = task.majorFaults
    counts.minorFaults = task.minorFaults
    counts.pagesMapped = spaces.pagesMapped.all
    counts.pagesMappedHuge = spaces.pagesMapped.huge
    for node in files.ordered {
      counts.pagesCached &+= node.cachedPages
      counts.readBytes &+= node.pagesRead &* PageSize.bytes
      counts.readRequests &+= node.readRequests
    }
    return counts
  }
}

extension ChosenFiles {
  /// Enough for every file to be cached and copied once, and for page tables in proportion; frames cost memory only when used.
  fileprivate var framesNeeded: UInt64 {
    let pages = files.reduce(0 as UInt64) { sum, file in min(1 << 28, sum &+ (file.bytes >> PageSize.shift) &+ 1) }
    return max(1 << 22, pages * 2)
  }
}

extension TraceTouch {
  @inline(__always)
  fileprivate var engineAccess: Access {
    switch access {
    case .read: .read
    case .write: .write
    case .execute: .execute
    }
  }
}
