import Faultline
import Glibc

/// `bench threads`: faults of two threads at once, and of one beside another that maps and unmaps, in each lock mode.
///
/// The loops are will-it-scale's, with MADV_DONTNEED between the rounds so that areas stay. The same loops run on the
/// running kernel. Rates and latencies come from runs of their own, because reading the clock takes as long as a part
/// of a fault.
public struct ThreadsBench: Sendable {
  /// What is measured, in the order of the table.
  static let cells: [FaultCell] = FaultLoad.willItScale.flatMap { load in
    FaultSystem.all.flatMap { system in
      [.alone, .twoThreads, .besideMapper].map { FaultCell(load: load, system: system, setting: $0) }
    }
  }

  /// The results of a cell.
  struct Row: Sendable {
    let cell: FaultCell
    /// One for each round.
    var rates: [Double] = []
    /// The same, see ``FaultMeasurement/waitedShare``.
    var waitedShares: [Double] = []
    var latencies = FaultMeasurement()

    /// Of the rounds.
    var faultsPerSecond: Double { rates.median }
  }

  /// In the order of ``cells``; without the kernel's where that gives no memory file.
  let rows: [Row]
  let isQuick: Bool

  private static let rounds = 7
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
    guard quick || sysconf(Int32(_SC_NPROCESSORS_ONLN)) >= FaultStageSize.processors else { throw .oneProcessor }
    isQuick = quick
    let microseconds = UInt32(seconds * 1e6)
    let rounds = quick ? 1 : Self.rounds
    var rows = Self.cells.map { Row(cell: $0) }
    for round in 0...rounds {
      let timesEachFault = round == rounds
      // Round by round over all cells, so that what else the machine does falls on all of them.
      for index in rows.indices {
        progress(Double(round * rows.count + index) / Double((rounds + 1) * rows.count))
        let measured = try Self.measure(rows[index].cell, microseconds, timesEachFault, repeats: !quick)
        guard let measured else { continue }
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

  private static func measure(
    _ cell: FaultCell, _ microseconds: UInt32, _ timesEachFault: Bool, repeats: Bool
  ) throws(ThreadsBenchError) -> FaultMeasurement? {
    do throws(KernelError) {
      return try cell.measure(microseconds: microseconds, timesEachFault: timesEachFault, repeats: repeats)
    } catch {
      throw .engine(error)
    }
  }

  /// For how much of their time threads had to wait for a processor: other programs ran. The median of all
  /// measurements.
  var waitedShare: Double { rows.flatMap(\.waitedShares).median }

  /// The rate of a setting as a share of one thread's, round by round, the median of these; nil without both.
  func share(_ load: FaultLoad, _ system: FaultSystem, _ setting: FaultSetting) -> Double? {
    func rates(_ setting: FaultSetting) -> [Double]? {
      rows.first { $0.cell == FaultCell(load: load, system: system, setting: setting) }?.rates
    }
    guard let alone = rates(.alone), let wanted = rates(setting), alone.count == wanted.count else { return nil }
    return zip(wanted, alone).map { $0 / $1 }.median
  }
}

/// Why `bench threads` or `bench speculate` could not begin.
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
      "faults of two threads need two processors, and this machine has one; --quick runs every case without judging"
    case .engine(let error): "the engine could not be set up: \(error)"
    }
  }
}
