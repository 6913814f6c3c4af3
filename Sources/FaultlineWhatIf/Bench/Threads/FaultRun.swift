import Glibc
import Synchronization

/// One run of a setting's threads, each with its part of a stage.
final class FaultRun<Part: FaultPart & ~Copyable>: Sendable {
  private let part: @Sendable (_ thread: Int) -> Part
  private let setting: FaultSetting
  private let timesEachFault: Bool
  private let sum = Mutex(FaultMeasurement())
  private let readyThreads = Atomic(0)
  private let goes = Atomic(false)
  private let isOver = Atomic(false)

  /// - Parameter part: makes the part of a thread, on that thread.
  init(_ setting: FaultSetting, timesEachFault: Bool, part: @escaping @Sendable (_ thread: Int) -> Part) {
    self.part = part
    self.setting = setting
    self.timesEachFault = timesEachFault
  }

  /// To be called once.
  ///
  /// - Parameter microseconds: how long faults are counted.
  func measure(microseconds: UInt32) -> FaultMeasurement {
    let count = setting == .alone ? 1 : FaultStageSize.threads
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
    if thread == 1, setting == .besideMapper {
      waitForOthers()
      let clock = WaitClock()
      repeat { part.mapAndUnmap() } while !isOver.load(ordering: .relaxed)
      sum.withLock { $0.merge(FaultMeasurement(waitedShare: clock.share)) }
    } else {
      // The first round pays for what is made only once: tables, and the memory behind them.
      for page in 0..<FaultStageSize.areaPages { part.store(toPage: page) }
      part.letGo()
      waitForOthers()
      let clock = WaitClock()
      var measured = timesEachFault ? timeFaults(&part) : countFaults(&part)
      measured.waitedShare = clock.share
      sum.withLock { $0.merge(measured) }
    }
  }

  private func countFaults(_ part: inout Part) -> FaultMeasurement {
    var rounds = 0
    let start = monotonicNanoseconds()
    repeat {
      for page in 0..<FaultStageSize.areaPages { part.store(toPage: page) }
      part.letGo()
      rounds += 1
    } while !isOver.load(ordering: .relaxed)
    let seconds = Double(monotonicNanoseconds() - start) / 1e9
    return FaultMeasurement(faultsPerSecond: Double(rounds * FaultStageSize.areaPages) / seconds)
  }

  private func timeFaults(_ part: inout Part) -> FaultMeasurement {
    var measured = FaultMeasurement.timed
    repeat {
      for page in 0..<FaultStageSize.areaPages {
        let start = monotonicNanoseconds()
        part.store(toPage: page)
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
