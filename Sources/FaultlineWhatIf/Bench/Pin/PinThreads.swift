import Faultline
import Glibc
import Synchronization

/// Threads that take hold of pages of their own and give them back, at the same time.
enum PinThreads {
  private static let halves: UInt64 = 2
  private static let rounds = 3

  /// What all threads did together.
  private struct Sum: Sendable {
    var pagesPerSecond: Double = 0
    /// Of the most unlucky thread, of its time.
    var waitedShare: Double = 0
  }

  /// Pages per second of all threads together: each has half of the stage.
  static func rate(_ stage: PinStage, _ setting: PinSetting, threads: Int) throws -> Double {
    try WaitClock.leastDisturbed(\.waitedShare) { try measure(stage, setting, threads) }?.pagesPerSecond ?? 0
  }

  private static func measure(_ stage: PinStage, _ setting: PinSetting, _ threads: Int) throws -> Sum {
    let results = Mutex<[Result<Sum, any Error>]>([])
    let ready = Atomic(0)
    let workers = (0..<threads).map { thread in
      Worker {
        let half = stage.pageCount / halves
        var worker = PinWorker(stage, setting, pages: half * UInt64(thread)..<half * UInt64(thread + 1))
        let result = Result {
          _ = try worker.round()
          ready.wrappingAdd(1, ordering: .acquiringAndReleasing)
          while ready.load(ordering: .acquiring) < threads { sched_yield() }
          let clock = WaitClock()
          var nanoseconds: UInt64 = 0
          for _ in 0..<rounds {
            let round = try worker.round()
            nanoseconds += round.get + round.put
          }
          return Sum(
            pagesPerSecond: Double(UInt64(rounds) * half) / (Double(nanoseconds) / 1e9), waitedShare: clock.share)
        }
        // One that failed keeps nobody waiting.
        if case .failure = result { ready.wrappingAdd(threads, ordering: .releasing) }
        results.withLock { $0.append(result) }
      }
    }
    for worker in workers { worker.join() }
    return try results.withLock { results in
      try results.reduce(into: Sum()) { sum, result in
        let one = try result.get()
        sum.pagesPerSecond += one.pagesPerSecond
        sum.waitedShare = max(sum.waitedShare, one.waitedShare)
      }
    }
  }
}
