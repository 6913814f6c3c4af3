import Faultline
import Synchronization

/// One thread's first stores: to every page, or to every second where two threads take turns.
struct SyncStorer {
  private let space: AddressSpace
  private let pages: StrideTo<UInt64>
  /// Of the faults, in nanoseconds.
  private(set) var times: [UInt64] = []
  private(set) var minorFaults: UInt64 = 0
  private(set) var majorFaults: UInt64 = 0

  init(space: AddressSpace, first: UInt64, thread: UInt64, of threads: UInt64) {
    self.space = space
    pages = stride(from: first + thread, to: first + SyncSetting.pages, by: Int(threads))
    times.reserveCapacity(Int(SyncSetting.pages))
  }

  fileprivate mutating func run() throws {
    var task = FaultTask()
    for page in pages {
      let faults = task.minorFaults + task.majorFaults
      let start = monotonicNanoseconds()
      let signal = space.access(VirtualAddress(page: page), .write, by: &task)
      let time = monotonicNanoseconds() - start
      guard signal == nil else { throw SyncBenchError.signal }
      // One entry of 2 MiB lets the other 511 stores through.
      if task.minorFaults + task.majorFaults > faults { times.append(time) }
    }
    minorFaults = task.minorFaults
    majorFaults = task.majorFaults
  }
}

/// The threads of a round.
enum SyncStorers {
  /// Lets all run at once, and returns when the last has ended.
  static func run(_ count: Int, _ make: @escaping @Sendable (Int) -> SyncStorer) throws -> [SyncStorer] {
    if count == 1 {
      var storer = make(0)
      try storer.run()
      return [storer]
    }
    let results = Mutex<[Result<SyncStorer, any Error>]>([])
    let ready = Atomic(0)
    let threads = (0..<count).map { thread in
      Worker {
        var storer = make(thread)
        ready.wrappingAdd(1, ordering: .acquiringAndReleasing)
        while ready.load(ordering: .acquiring) < count {}
        let result = Result {
          try storer.run()
          return storer
        }
        results.withLock { $0.append(result) }
      }
    }
    for thread in threads { thread.join() }
    return try results.withLock { try $0.map { try $0.get() } }
  }
}
