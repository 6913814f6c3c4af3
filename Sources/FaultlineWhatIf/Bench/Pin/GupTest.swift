import Faultline
import Synchronization

/// One benchmark of the kernel's gup_test on the engine: the same options, the same line for each repeat, the same work
/// timed. Kernel: `tools/testing/selftests/mm/gup_test.c`.
public struct GupTest: Sendable {
  /// What is timed, by gup_test's letters.
  public enum Command: String, CaseIterable, Sendable {
    case getFast = "u"
    case pinFast = "a"
    case getSlow = "U"
    case pinSlow = "b"
    case pinLongTerm = "L"

    /// As the line begins.
    public var name: String {
      switch self {
      case .getFast: "GUP_FAST_BENCHMARK"
      case .pinFast: "PIN_FAST_BENCHMARK"
      case .getSlow: "GUP_BENCHMARK"
      case .pinSlow: "PIN_BENCHMARK"
      case .pinLongTerm: "PIN_LONGTERM_BENCHMARK"
      }
    }
  }

  public struct Options: Sendable {
    /// What is timed.
    public var command = Command.getFast
    /// 1 to 16,384.
    public var mebibytes: UInt64 = 128
    /// Pages that one call takes; no more than there are.
    public var pagesPerCall: UInt64 = 1
    /// 1 to 100,000.
    public var repeats = 1
    /// 1 to 64, all over the same memory.
    public var threads = 1
    /// Whether the pages will be stored to.
    public var writes = true
    /// What the memory is made of.
    public var folios = FolioSize.huge
    /// Private memory instead of a device's; not in folios of 1 GiB.
    public var isAnonymous = false
    /// Whether only heads are recorded.
    public var headsOnly = false

    public init() {}
  }

  /// One repeat of one thread, in microseconds.
  public struct Result: Sendable {
    public let get: UInt64
    public let put: UInt64
  }

  public let options: Options
  /// Thread by thread.
  public let results: [Result]

  /// - Throws: ``PinBenchError`` for options out of range, or what the engine throws.
  public init(_ options: Options) throws {
    try options.check()
    self.options = options
    let setting = options.setting
    let stage = try PinStage(setting.memory, setting.size, pageCount: options.mebibytes << 8)
    let results = Mutex<[Swift.Result<[Result], any Error>]>([])
    let workers = (0..<options.threads).map { _ in
      Worker {
        let result = Swift.Result {
          var worker = PinWorker(stage, setting, pages: 0..<stage.pageCount)
          return try (0..<options.repeats).map { _ in
            let round = try worker.round()
            return Result(get: round.get / 1000, put: round.put / 1000)
          }
        }
        results.withLock { $0.append(result) }
      }
    }
    for worker in workers { worker.join() }
    self.results = try results.withLock { try $0.flatMap { try $0.get() } }
  }

  /// A line for each repeat, as gup_test prints it.
  public var text: String {
    results.map { "\(options.command.name): Time: get:\($0.get) put:\($0.put) us" }.joined(separator: "\n")
  }

  /// The cases of `--json`; no bars.
  public var report: BenchReport {
    BenchReport(
      benchmark: "pin", machine: HostText.machine,
      cases: results.enumerated().flatMap { number, result in
        [("get", result.get), ("put", result.put)].map { name, time in
          BenchReport.Case(
            name: "\(options.command.name) \(number + 1), \(name)", value: Double(time), unit: "microseconds")
        }
      }, bars: [])
  }
}

extension GupTest.Options {
  fileprivate func check() throws(PinBenchError) {
    func refuse(_ reason: String) throws(PinBenchError) { throw .options(reason) }
    guard (1...16_384).contains(mebibytes) else { return try refuse("-m \(mebibytes): give 1 to 16384 MiB") }
    guard (1...mebibytes << 8).contains(pagesPerCall) else {
      return try refuse("-n \(pagesPerCall): \(mebibytes) MiB have \(mebibytes << 8) pages of 4 KiB")
    }
    guard (1...100_000).contains(repeats) else { return try refuse("-r \(repeats): give 1 to 100000 repeats") }
    guard (1...64).contains(threads) else { return try refuse("-j \(threads): give 1 to 64 threads") }
    guard !isAnonymous || folios != .giant else {
      return try refuse("private memory has no folios of 1 GiB: leave out -G, or --anonymous")
    }
    guard mebibytes << 8 % folios.pageCount == 0 else {
      return try refuse("-m \(mebibytes) is no multiple of a folio: give one, or smaller folios with -H or -S")
    }
  }

  fileprivate var setting: PinSetting {
    var setting = PinSetting(pagesPerCall: pagesPerCall)
    setting.memory = isAnonymous ? .anonymous : .device
    setting.size = folios
    setting.kind = command == .getFast || command == .getSlow ? .reference : .pin
    setting.path = command == .getFast || command == .pinFast ? .fast : .slow
    setting.isLongTerm = command == .pinLongTerm
    setting.writes = writes
    setting.form = headsOnly ? .runs : .pages
    return setting
  }
}
