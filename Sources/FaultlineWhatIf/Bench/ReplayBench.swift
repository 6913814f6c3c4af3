import CLinux
import Faultline
import Glibc

/// `bench replay`: how fast a trace goes through the engine, beside the same touches on the running kernel.
///
/// Two loads, both through the ``Replayer`` that `whatif` uses, trace decoding included: touches in random order of
/// pages that are entered already, and faults that each enter a window of 16 pages. Beside them faults alone, of 2 MiB
/// and of a page. One thread; the engine keeps no TLB.
public struct ReplayBench {
  private static let pages: UInt64 = 65_536
  private static let windowPages: UInt64 = 16
  private static let base: UInt64 = 1 << 24

  /// - Parameter quick: a few hundred milliseconds, no bars.
  public static func run(quick: Bool) throws -> BenchReport {
    let touches = quick ? 1_000_000 : 8_000_000
    let rounds = quick ? 4 : 16
    let warm = try median(of: quick ? 1 : 5) { try warmTouchesPerSecond(touches) }
    let faults = try median(of: quick ? 1 : 5) { try faultsPerSecond(rounds) }
    let huge = try HugeFaultCost(rounds: quick ? 5 : 101)
    let kernel = KernelMapping(pages: Int(pages))
    let kernelWarm = kernel?.warmTouchesPerSecond(touches)
    let kernelFaults = kernel?.faultsPerSecond(rounds, window: Int(windowPages))
    let cases = [
      BenchReport.Case(
        name: "warmTouches", value: warm / 1e6, unit: "million touches/s", anchor: kernelWarm.map { $0 / 1e6 },
        anchorSource: "loads of the same pages in the same order on the running kernel and processor"),
      BenchReport.Case(
        name: "faultsAround16", value: faults / 1e6, unit: "million faults/s", anchor: kernelFaults.map { $0 / 1e6 },
        anchorSource: "the same faults of a memory file on the running kernel"),
      BenchReport.Case(
        name: "hugeFault", value: huge.huge, unit: "ns", anchor: huge.page,
        anchorSource: "a fault of the engine that maps a single page, measured in turn with it"),
    ]
    let bars =
      quick
      ? []
      : [
        BenchReport.Bar(name: "warmTouches, million/s", wanted: 60, got: warm / 1e6),
        BenchReport.Bar(name: "faultsAround16, million/s", wanted: 2, got: faults / 1e6),
        BenchReport.Bar(name: "hugeFault, times a fault of one page", .atMost, wanted: 2, got: huge.ratio),
      ]
    return BenchReport(benchmark: "replay", machine: HostText.machine, cases: cases, bars: bars)
  }

  private static func median(of runs: Int, _ measure: () throws -> Double) rethrows -> Double {
    var results: [Double] = []
    for _ in 0..<runs { results.append(try measure()) }
    return results.median
  }

  // MARK: The engine

  private static func warmTouchesPerSecond(_ touches: Int) throws -> Double {
    let trace = try syntheticTrace { writer in
      writer.write(.map(mapping(0)), task: 0, time: 0)
      for page in 0..<pages { writer.write(touch(page)) }
      var order = PageShuffle(pages: pages)
      for _ in 0..<touches { writer.write(touch(order.next())) }
    }
    return try replayed(trace, units: touches)
  }

  private static func faultsPerSecond(_ rounds: Int) throws -> Double {
    let trace = try syntheticTrace { writer in
      for round in 0..<UInt64(rounds) {
        writer.write(.map(mapping(round)), task: 0, time: 0)
        for page in stride(from: 0, to: pages, by: Int(windowPages)) { writer.write(touch(round &* pages &+ page)) }
      }
    }
    return try replayed(trace, units: rounds * Int(pages / windowPages))
  }

  private static func replayed(_ trace: Trace, units: Int) throws -> Double {
    let chosen = try ChosenFiles(TraceSurvey(trace), by: FileChoice())
    let policy = Policy(name: "as recorded")
    var replayer = try Replayer(trace, chosen: chosen, policy: policy, cache: .warm, rules: .linux6_18)
    let start = monotonicNanoseconds()
    _ = try replayer.run { _ in }
    return Double(units) / (Double(monotonicNanoseconds() - start) / 1e9)
  }

  // MARK: The trace

  /// The file again, after `number` earlier mappings of it.
  private static func mapping(_ number: UInt64) -> TraceMapping {
    TraceMapping(
      range: TraceRange(process: 0, page: base &+ number &* pages, pages: pages), protection: .read, flags: 1, file: 0,
      filePage: 0, isText: false)
  }

  private static func touch(_ page: UInt64) -> TraceTouch {
    TraceTouch(kind: .timed, access: .read, task: 0, page: base &+ page, time: 0)
  }

  private static func syntheticTrace(_ body: (TraceWriter) -> Void) throws -> Trace {
    let file = try TemporaryTraceFile()
    let writer = try TraceWriter(path: file.path, start: 0, pageSize: 4096)
    writer.write(.commandLine(["bench"]), task: 0, time: 0)
    writer.write(
      .task(TraceTask(index: 0, threadID: 1, processID: 1, process: 0, name: "bench")), task: 0, time: 0)
    writer.write(
      .file(
        TraceFile(
          id: 0, path: "/bench", bytes: pages << 12, device: 0, inode: 1, isOwnedOrWritable: true, resident: nil,
          fileSystem: "ext4", readAheadKB: 128)), task: 0, time: 0)
    body(writer)
    try writer.finish()
    return try Trace(path: file.path)
  }
}

/// The same pseudo-random page numbers for the engine and for the kernel.
private struct PageShuffle {
  private let pages: UInt64
  private var state: UInt64 = 1

  init(pages: UInt64) { self.pages = pages }

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (state >> 33) % pages
  }
}

/// A memory file that the running kernel maps for comparison.
private struct KernelMapping: ~Copyable {
  private let descriptor: Int32
  private let pages: Int
  private var length: Int { pages * 4096 }

  /// Nil where the kernel gives no memory file.
  init?(pages: Int) {
    self.pages = pages
    descriptor = cl_memory_file("faultline-bench")
    guard descriptor >= 0 else { return nil }
    let page = [UInt8](repeating: 1, count: 4096)
    guard (0..<pages).allSatisfy({ _ in write(descriptor, page, 4096) == 4096 }) else {
      close(descriptor)
      return nil
    }
  }

  deinit { close(descriptor) }

  func warmTouchesPerSecond(_ touches: Int) -> Double? {
    guard let base = map() else { return nil }
    defer { munmap(base, length) }
    for page in 0..<pages { _ = cl_load_byte(base + page * 4096) }
    var order = PageShuffle(pages: UInt64(pages))
    var offsets: [UInt32] = []
    offsets.reserveCapacity(touches)
    for _ in 0..<touches { offsets.append(UInt32(order.next())) }
    let start = monotonicNanoseconds()
    for page in offsets { _ = cl_load_byte(base + Int(page) * 4096) }
    return Double(touches) / (Double(monotonicNanoseconds() - start) / 1e9)
  }

  func faultsPerSecond(_ rounds: Int, window: Int) -> Double? {
    var nanoseconds: UInt64 = 0
    for _ in 0..<rounds {
      guard let base = map() else { return nil }
      let start = monotonicNanoseconds()
      for page in stride(from: 0, to: pages, by: window) { _ = cl_load_byte(base + page * 4096) }
      nanoseconds += monotonicNanoseconds() - start
      munmap(base, length)
    }
    return Double(rounds * pages / window) / (Double(nanoseconds) / 1e9)
  }

  private func map() -> UnsafeMutableRawPointer? {
    let base = mmap(nil, length, PROT_READ, MAP_SHARED, descriptor, 0)
    return base == MAP_FAILED ? nil : base
  }
}
