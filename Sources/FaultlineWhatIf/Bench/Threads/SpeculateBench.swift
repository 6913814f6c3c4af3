import Faultline
import Glibc

/// `bench speculate`: faults under a lock, under the area's lock and under none, side by side: alone, together, and
/// beside a thread that changes the address space.
///
/// Modes take turns within each short round, so that what else the machine does falls on all of them; shares are taken
/// within a round, and a round counts only if no thread of either measurement waited for a processor.
public struct SpeculateBench: Sendable {
  /// One measurement of a round.
  struct Sample: Sendable {
    let rate: Double
    let waitedShare: Double

    var isCalm: Bool { waitedShare <= WaitClock.calm }
  }

  /// The results of a cell.
  struct Row: Sendable {
    let cell: FaultCell
    /// One for each round.
    var samples: [Sample] = []
    var writerShares: [Double] = []
    /// Of all rounds.
    var speculation = SpeculationCounts()

    /// The median of the calm rounds, or of all if there is none.
    var faultsPerSecond: Double {
      let calm = samples.filter(\.isCalm)
      return (calm.isEmpty ? samples : calm).map(\.rate).median
    }

    /// The share of its time for which the other thread changed the address space; nil without such a thread.
    var writerShare: Double? { writerShares.isEmpty ? nil : writerShares.median }
  }

  /// In the order of ``cells(processors:)``; without what the kernel does not have.
  let rows: [Row]
  /// Of each round, see ``LineRoundTrip``; empty on one processor.
  let roundTrips: [Double]
  let isQuick: Bool

  private static let rounds = 15
  private static let quickSeconds = 0.01
  /// Seconds of each measurement unless told.
  public static let usualSeconds = 0.05
  private static let mostThreads = 16

  /// Modes innermost: those that are compared are measured one right after the other.
  static func cells(processors: Int) -> [FaultCell] {
    let counts = sequence(first: 4) { $0 * 2 }.prefix { $0 <= min(processors, mostThreads) }
    let settings =
      [FaultSetting.alone, .twoThreads] + counts.map { FaultSetting.together($0) } + [.besideWriter, .besideMapper]
    return FaultLoad.speculative.flatMap { load in
      settings.flatMap { setting in FaultSystem.all.map { FaultCell(load: load, system: $0, setting: setting) } }
    }
  }

  /// - Parameters:
  ///   - quick: one short round, no bars.
  ///   - seconds: how long each cell is measured in each round; nil for 0.05 (0.01 in a quick run).
  ///   - progress: called now and then with the share of the work that is done.
  /// - Throws: ``ThreadsBenchError``.
  public init(quick: Bool, seconds: Double?, progress: (Double) -> Void) throws(ThreadsBenchError) {
    let seconds = seconds ?? (quick ? Self.quickSeconds : Self.usualSeconds)
    guard seconds >= 0.001, seconds <= 60 else { throw .length(seconds) }
    let processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    guard quick || processors >= FaultStageSize.processors else { throw .oneProcessor }
    isQuick = quick
    let microseconds = UInt32(seconds * 1e6)
    let rounds = quick ? 1 : Self.rounds
    var rows = Self.cells(processors: processors).map { Row(cell: $0) }
    var roundTrips: [Double] = []
    for round in 0..<rounds {
      if processors >= FaultStageSize.processors { roundTrips.append(LineRoundTrip.nanoseconds()) }
      for index in rows.indices {
        progress(Double(round * rows.count + index) / Double(rounds * rows.count))
        let measured: FaultMeasurement?
        do throws(KernelError) {
          measured = try rows[index].cell.measure(microseconds: microseconds, repeats: !quick)
        } catch {
          throw .engine(error)
        }
        if let measured { rows[index].note(measured) }
      }
    }
    self.rows = rows.filter { !$0.samples.isEmpty }
    self.roundTrips = roundTrips
  }

  init(rows: [Row], isQuick: Bool) {
    self.rows = rows
    roundTrips = []
    self.isQuick = isQuick
  }

  /// Rounds in which both measurements were calm, or all rounds if these are fewer than three.
  private func ratios(_ wanted: Row, to other: Row) -> [Double] {
    let pairs = Array(zip(wanted.samples, other.samples))
    let calm = pairs.filter { $0.isCalm && $1.isCalm }
    return (calm.count < 3 ? pairs : calm).map { $0.rate / $1.rate }
  }

  func row(_ load: FaultLoad, _ system: FaultSystem, _ setting: FaultSetting) -> Row? {
    rows.first { $0.cell == FaultCell(load: load, system: system, setting: setting) }
  }

  /// The rate of a setting as a share of one thread's, round by round, the median of these.
  func share(_ cell: FaultCell) -> Double? {
    guard let wanted = row(cell.load, cell.system, cell.setting), let alone = row(cell.load, cell.system, .alone)
    else { return nil }
    return ratios(wanted, to: alone).median
  }

  /// What a fault takes as a multiple of what it takes under the address space's lock, round by round, the median of
  /// these.
  func cost(_ cell: FaultCell) -> Double? {
    guard let wanted = row(cell.load, cell.system, cell.setting),
      let locked = row(cell.load, .engine(.mmapLock), cell.setting)
    else { return nil }
    return ratios(locked, to: wanted).median
  }

  /// The share of measurements in which a thread waited for a processor however often they were repeated.
  var disturbedShare: Double {
    let samples = rows.flatMap(\.samples)
    return Double(samples.count { !$0.isCalm }) / Double(max(1, samples.count))
  }
}

extension SpeculateBench.Row {
  mutating func note(_ measured: FaultMeasurement) {
    samples.append(SpeculateBench.Sample(rate: measured.faultsPerSecond, waitedShare: measured.waitedShare))
    if let share = measured.writerShare { writerShares.append(share) }
    speculation.add(measured.speculation)
  }
}
