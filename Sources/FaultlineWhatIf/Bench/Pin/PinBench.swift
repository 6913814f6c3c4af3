import Faultline

/// `bench pin`: what it costs to take hold of 16 GiB, with a step for every page and with one for every folio. The
/// experiment of seed 002, as gup_test times it, on metadata alone.
///
/// Settings and the loops in C take turns round by round, so that what else the machine does falls on all of them.
/// Within a round each runs a few times, and the first, which finds the caches full of the one before, is left out.
public struct PinBench: Sendable {
  /// A setting and its rounds.
  struct Row: Sendable {
    let setting: PinSetting
    let pageCount: UInt64
    var rounds: [PinWorker.Round] = []
  }

  /// Nanoseconds of the loops in C, round by round.
  struct Loops: Sendable {
    var getEach: [UInt64] = []
    var write: [UInt64] = []
    var read: [UInt64] = []
  }

  /// Pages per second that threads take hold of and give back, each its own, round by round.
  struct ThreadRow: Sendable {
    let kind: HoldKind
    var one: [Double] = []
    var two: [Double] = []
  }

  let rows: [Row]
  let loops: Loops
  let threadRows: [ThreadRow]
  let isQuick: Bool

  /// 16,384 MiB.
  private static let pageCount: UInt64 = 1 << 22
  /// 64 MiB, and where that is less than a folio, one.
  private static let quickPageCount: UInt64 = 1 << 14
  private static let rounds = 15
  private static let repeats = 3

  /// - Parameters:
  ///   - quick: little memory, one round, no bars.
  ///   - progress: called now and then with the share of the work that is done.
  /// - Throws: ``PinBenchError``, or what the engine throws.
  public init(quick: Bool, progress: (Double) -> Void) throws {
    isQuick = quick
    let rounds = quick ? 1 : Self.rounds
    let sizes = FolioSize.allCases
    var loops = Loops()
    var rows: [Row] = []
    var threadRows = [HoldKind.reference, .pin].map { ThreadRow(kind: $0) }
    for (part, size) in sizes.enumerated() {
      let pageCount = quick ? max(Self.quickPageCount, size.pageCount) : Self.pageCount
      let stage = try PinStage(.device, size, pageCount: pageCount)
      let inC = size == .huge ? try PageLoops(pageCount: pageCount, step: PinSetting().pagesPerCall) : nil
      var measured = PinSetting.measured(size).map { Row(setting: $0, pageCount: pageCount) }
      for round in 0..<rounds {
        progress((Double(part) + Double(round) / Double(rounds)) / Double(sizes.count))
        for index in measured.indices {
          measured[index].rounds.append(try Self.round(stage, measured[index].setting))
        }
        if let inC { try loops.add(inC, repeats: Self.repeats) }
        for index in threadRows.indices where size == .single { try threadRows[index].add(stage) }
      }
      rows += measured
    }
    self.rows = rows
    self.loops = loops
    self.threadRows = threadRows
  }

  init(rows: [Row], loops: Loops, threadRows: [ThreadRow], isQuick: Bool) {
    self.rows = rows
    self.loops = loops
    self.threadRows = threadRows
    self.isQuick = isQuick
  }

  private static func round(_ stage: PinStage, _ setting: PinSetting) throws -> PinWorker.Round {
    var worker = PinWorker(stage, setting, pages: 0..<stage.pageCount)
    _ = try worker.round()
    var rounds: [PinWorker.Round] = []
    for _ in 1..<repeats { rounds.append(try worker.round()) }
    return PinWorker.Round(get: rounds.map(\.get).min() ?? 0, put: rounds.map(\.put).min() ?? 0)
  }

  // MARK: Comparing

  func row(_ setting: PinSetting) -> Row? { rows.first { $0.setting == setting } }

  /// How many times as long as another one takes: round by round, the median of these.
  static func ratio(_ these: [UInt64]?, to others: [UInt64]?) -> Double? {
    guard let these, let others, !these.isEmpty, these.count == others.count else { return nil }
    return zip(these, others).map { Double($0) / Double(max(1, $1)) }.median
  }
}

extension PinBench.Row {
  var gets: [UInt64] { rounds.map(\.get) }
  var puts: [UInt64] { rounds.map(\.put) }
}

extension PinBench.Loops {
  fileprivate mutating func add(_ loops: PageLoops, repeats: Int) throws {
    func least(_ time: () throws -> UInt64) rethrows -> UInt64 {
      _ = try time()
      var least = UInt64.max
      for _ in 1..<repeats { least = min(least, try time()) }
      return least
    }
    getEach.append(try least(loops.getEach))
    write.append(least(loops.write))
    read.append(try least(loops.read))
  }
}

extension PinBench.ThreadRow {
  /// One thread on the first half of the stage, then two, each on a half of its own.
  fileprivate mutating func add(_ stage: PinStage) throws {
    let setting = PinSetting(size: .single, kind: kind)
    one.append(try PinThreads.rate(stage, setting, threads: 1))
    two.append(try PinThreads.rate(stage, setting, threads: 2))
  }

  /// Round by round, the median.
  var gain: Double { zip(two, one).map { $0 / $1 }.median }
}

extension PinSetting {
  /// What is measured of a size, in the order of the table.
  static func measured(_ size: FolioSize) -> [PinSetting] {
    let kinds = [HoldKind.reference, .pin]
    let base = PinSetting(size: size)
    switch size {
    case .single:
      return kinds.map { kind in base.with { $0.kind = kind } }
    case .huge:
      let published = kinds.flatMap { kind in
        [Path.eachPage, .fast, .slow].map { path in
          base.with {
            $0.kind = kind
            $0.path = path
          }
        }
      }
      let heads = kinds.map { kind in
        base.with {
          $0.kind = kind
          $0.form = .runs
        }
      }
      return published + heads
    case .giant:
      return kinds.flatMap { kind in
        [PinnedPages.Form.pages, .runs].map { form in
          base.with {
            $0.kind = kind
            $0.form = form
            $0.pagesPerCall = size.pageCount
          }
        }
      }
    }
  }
}
