import Faultline
import Glibc

/// `bench threads`: faults of two threads at once, and of one beside another that maps and unmaps, in each lock mode.
///
/// The loops are will-it-scale's, with MADV_DONTNEED between the rounds so that areas stay. The same loops run on the running
/// kernel. Rates and latencies come from runs of their own, because reading the clock takes as long as a part of a fault.
public struct ThreadsBench: Sendable {
  /// What is measured: one row of the table.
  struct Cell: Hashable, Sendable {
    let load: FaultLoad
    let system: FaultSystem
    let setting: FaultSetting

    static let all: [Cell] = FaultLoad.allCases.flatMap { load in
      FaultSystem.all.flatMap { system in FaultSetting.allCases.map { Cell(load: load, system: system, setting: $0) } }
    }
  }

  /// The results of a cell.
  struct Row: Sendable {
    let cell: Cell
    /// One for each round.
    var rates: [Double] = []
    /// The same, see ``FaultMeasurement/waitedShare``.
    var waitedShares: [Double] = []
    var latencies = FaultMeasurement()

    /// Of the rounds.
    var faultsPerSecond: Double { median(rates) }
  }

  /// In the order of ``Cell/all``; without the kernel's where that gives no memory file.
  let rows: [Row]
  let isQuick: Bool

  private static let rounds = 7
  /// A measurement in which a thread waited longer for a processor is repeated, a few times; the least disturbed one counts.
  private static let calm = 0.02
  private static let attempts = 4
  private static let quickSeconds = 0.01
  public static let usualSeconds = 0.2

  /// - Parameters:
  ///   - quick: one short round, no bars.
  ///   - seconds: how long each cell is measured in each round; nil for 0.2 (0.01 in a quick run).
  ///   - progress: called now and then with the share of the work that is done.
  /// - Throws: ``ThreadsBenchError``.
  public init(quick: Bool, seconds: Double?, progress: (Double) -> Void) throws(ThreadsBenchError) {
    let seconds = seconds ?? (quick ? Self.quickSeconds : Self.usualSeconds)
    guard seconds >= 0.001, seconds <= 60 else { throw .length(seconds) }
    guard quick || sysconf(Int32(_SC_NPROCESSORS_ONLN)) >= FaultStageSize.threads else { throw .oneProcessor }
    isQuick = quick
    let microseconds = UInt32(seconds * 1e6)
    let rounds = quick ? 1 : Self.rounds
    var rows = Cell.all.map { Row(cell: $0) }
    for round in 0...rounds {
      let timesEachFault = round == rounds
      // Round by round over all cells, so that what else the machine does falls on all of them.
      for index in rows.indices {
        progress(Double(round * rows.count + index) / Double((rounds + 1) * rows.count))
        var best: FaultMeasurement?
        for _ in 0..<(quick ? 1 : Self.attempts) where best.map({ $0.waitedShare > Self.calm }) ?? true {
          let measured = try Self.measure(rows[index].cell, microseconds, timesEachFault: timesEachFault)
          if let measured, measured.waitedShare < best?.waitedShare ?? .infinity { best = measured }
        }
        guard let measured = best else { continue }
        if timesEachFault {
          rows[index].latencies = measured
        } else {
          rows[index].rates.append(measured.faultsPerSecond)
          rows[index].waitedShares.append(measured.waitedShare)
        }
      }
    }
    self.rows = rows.filter { !$0.rates.isEmpty }
  }

  init(rows: [Row], isQuick: Bool) {
    self.rows = rows
    self.isQuick = isQuick
  }

  /// Nil for the kernel where that gives no memory file.
  private static func measure(
    _ cell: Cell, _ microseconds: UInt32, timesEachFault: Bool
  ) throws(ThreadsBenchError) -> FaultMeasurement? {
    switch cell.system {
    case .engine(let mode):
      let stage: EngineFaultStage
      do throws(KernelError) {
        stage = try EngineFaultStage(cell.load, mode)
      } catch {
        throw .engine(error)
      }
      return FaultRun(cell.setting, timesEachFault: timesEachFault) { stage.part(ofThread: $0) }
        .measure(microseconds: microseconds)
    case .kernel:
      guard let stage = KernelFaultStage(cell.load) else { return nil }
      return FaultRun(cell.setting, timesEachFault: timesEachFault) { stage.part(ofThread: $0) }
        .measure(microseconds: microseconds)
    }
  }

  /// For how much of their time threads had to wait for a processor: other programs ran. The median of all measurements.
  var waitedShare: Double { median(rows.flatMap(\.waitedShares)) }

  /// The rate of a setting as a share of one thread's, round by round, the median of these; nil without both.
  func share(_ load: FaultLoad, _ system: FaultSystem, _ setting: FaultSetting) -> Double? {
    func rates(_ setting: FaultSetting) -> [Double]? {
      rows.first { $0.cell == Cell(load: load, system: system, setting: setting) }?.rates
    }
    guard let alone = rates(.alone), let wanted = rates(setting), alone.count == wanted.count else { return nil }
    return median(zip(wanted, alone).map { $0 / $1 })
  }
}

/// Why `bench threads` could not begin.
public enum ThreadsBenchError: Error, CustomStringConvertible {
  /// `--seconds` out of range.
  case length(Double)
  /// Two threads on one processor show nothing.
  case oneProcessor
  /// The engine has no memory.
  case engine(KernelError)

  public var description: String {
    switch self {
    case .length(let seconds): "--seconds \(seconds): give between 0.001 and 60 seconds for each measurement"
    case .oneProcessor:
      "bench threads needs two processors, and this machine has one; --quick runs every case without judging"
    case .engine(let error): "the engine could not be set up: \(error)"
    }
  }
}

private func median(_ values: [Double]) -> Double {
  values.isEmpty ? 0 : values.sorted()[values.count / 2]
}
