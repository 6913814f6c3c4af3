import Faultline
import Glibc
import Synchronization

/// One run of a setting's threads, each with its part of a stage.
final class FaultRun<Part: FaultPart & ~Copyable>: Sendable {
  private let part: @Sendable (_ thread: Int) -> Part
  private let load: FaultLoad
  private let setting: FaultSetting
  private let timesEachFault: Bool
  private let sum = Mutex(FaultMeasurement())
  private let readyThreads = Atomic(0)
  private let goes = Atomic(false)
  private let isOver = Atomic(false)

  /// - Parameter part: makes the part of a thread, on that thread.
  init(
    _ load: FaultLoad, _ setting: FaultSetting, timesEachFault: Bool,
    part: @escaping @Sendable (_ thread: Int) -> Part
  ) {
    self.part = part
    self.load = load
    self.setting = setting
    self.timesEachFault = timesEachFault
  }

  /// To be called once.
  ///
  /// - Parameter microseconds: how long faults are counted.
  func measure(microseconds: UInt32) -> FaultMeasurement {
    let count = setting.threads
    let threads = (0..<count).map { thread in Worker { self.play(thread) } }
    while readyThreads.load(ordering: .acquiring) < count { usleep(100) }
    goes.store(true, ordering: .releasing)
    usleep(microseconds)
    isOver.store(true, ordering: .releasing)
    for thread in threads { thread.join() }
    return sum.withLock { $0 }
  }

  private func play(_ thread: Int) {
    var part = part(thread)
    var measured: FaultMeasurement
    let clock: WaitClock
    if let share = setting.writerShare, thread == setting.threads - 1 {
      waitForOthers()
      clock = WaitClock()
      measured = FaultMeasurement(writerShare: change(&part, share: share))
    } else {
      // The first round pays for what is made only once: tables, and the memory behind them.
      touchAll(&part)
      part.letGo()
      waitForOthers()
      clock = WaitClock()
      let before = part.speculation
      measured = timesEachFault ? timeFaults(&part) : countFaults(&part)
      measured.speculation = part.speculation - before
    }
    measured.waitedShare = clock.share
    sum.withLock { $0.merge(measured) }
  }

  /// Maps and unmaps for a share of the time, evenly, until the others stop.
  ///
  /// - Returns: the share that it came to; nil for one that never pauses, which reads no clock.
  private func change(_ part: inout Part, share: Double) -> Double? {
    if share == 1 {
      repeat { part.mapAndUnmap() } while !isOver.load(ordering: .relaxed)
      return nil
    }
    let first = monotonicNanoseconds()
    var now = first
    var spent: UInt64 = 0
    repeat {
      part.mapAndUnmap()
      let end = monotonicNanoseconds()
      spent += end - now
      now = end
      while Double(spent) > share * Double(now - first), !isOver.load(ordering: .relaxed) {
        now = monotonicNanoseconds()
      }
    } while !isOver.load(ordering: .relaxed)
    return Double(spent) / Double(max(1, now - first))
  }

  /// - Returns: how many faults they were.
  @discardableResult
  @inline(__always)
  private func touchAll(_ part: inout Part) -> Int {
    loadAll(&part)
    var page = 0
    while page < FaultStageSize.areaPages {
      part.touch(page: page)
      page &+= load.stride
    }
    return FaultStageSize.areaPages / load.stride
  }

  @inline(__always)
  private func loadAll(_ part: inout Part) {
    guard load.loadsFirst else { return }
    for page in 0..<FaultStageSize.areaPages { part.load(page: page) }
  }

  private func countFaults(_ part: inout Part) -> FaultMeasurement {
    var faults = 0
    let start = monotonicNanoseconds()
    repeat {
      faults += touchAll(&part)
      part.letGo()
    } while !isOver.load(ordering: .relaxed)
    let seconds = Double(monotonicNanoseconds() - start) / 1e9
    return FaultMeasurement(faultsPerSecond: Double(faults) / seconds)
  }

  private func timeFaults(_ part: inout Part) -> FaultMeasurement {
    var measured = FaultMeasurement.timed
    repeat {
      loadAll(&part)
      for page in stride(from: 0, to: FaultStageSize.areaPages, by: load.stride) {
        let start = monotonicNanoseconds()
        part.touch(page: page)
        measured.note(nanoseconds: monotonicNanoseconds() - start)
      }
      part.letGo()
    } while !isOver.load(ordering: .relaxed)
    return measured
  }

  /// All threads begin at the same moment.
  private func waitForOthers() {
    readyThreads.wrappingAdd(1, ordering: .acquiringAndReleasing)
    while !goes.load(ordering: .acquiring) { sched_yield() }
  }
}
