import CLinux
import Glibc
import Synchronization

/// What it takes to hand a cache line to a thread on another processor and get it back.
///
/// The host of a virtual machine may move its processors near to each other or far apart: eight times the time, for
/// every line that a fault reads and somebody else writes.
final class LineRoundTrip: Sendable {
  private static let batches = 40
  private static let trips = 100

  private let turn = Atomic<Int>(0)

  /// - Returns: nanoseconds, of the batch of trips that was least disturbed.
  static func nanoseconds() -> Double {
    let line = LineRoundTrip()
    let other = Worker { line.answer() }
    var best = UInt64.max
    for batch in 0..<batches {
      let start = monotonicNanoseconds()
      for trip in 0..<trips {
        let number = batch * trips + trip
        line.turn.store(2 * number + 1, ordering: .releasing)
        line.wait(for: 2 * number + 2)
      }
      best = min(best, monotonicNanoseconds() - start)
    }
    other.join()
    return Double(best) / Double(trips)
  }

  private func answer() {
    for number in 0..<Self.batches * Self.trips {
      wait(for: 2 * number + 1)
      turn.store(2 * number + 2, ordering: .releasing)
    }
  }

  private func wait(for wanted: Int) {
    var looks = 0
    while turn.load(ordering: .acquiring) != wanted {
      cl_pause()
      looks += 1
      // The other thread may be waiting for this processor.
      if looks % 1000 == 0 { sched_yield() }
    }
  }
}
