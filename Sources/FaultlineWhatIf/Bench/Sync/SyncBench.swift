import Faultline
import FaultlineFS

/// `bench sync`: what the first store to a page of a file on persistent memory costs, with MAP_SYNC and without. The
/// experiment of seed 001, on the engine's own file system.
///
/// Settings take turns round by round, so that what else the machine does falls on all of them.
public struct SyncBench: Sendable {
  /// One setting and its rounds.
  struct Row: Sendable {
    let setting: SyncSetting
    var rounds: [SyncStage.Round] = []

    /// Of all rounds.
    var latencies: LatencyHistogram {
      rounds.reduce(into: LatencyHistogram()) { $0.add($1.latencies) }
    }

    /// Of the rounds' medians, in nanoseconds.
    var median: Double { rounds.map { Double($0.median) }.median }

    /// The commits of a round; `nil` where the copying thread's are among them.
    var commits: UInt64? { setting.isBusy ? nil : rounds.map(\.commits).max() }
  }

  let rows: [Row]
  /// What a window changes, and its pages.
  let windowRows: [Row]
  let window: UInt64
  /// What the running kernel takes, idle and by single pages; empty where it has no file on persistent memory.
  let kernelRows: [KernelRow]

  /// A setting of the running kernel.
  struct KernelRow: Sendable {
    let contents: SyncSetting.Contents
    let isSynchronous: Bool
    var latencies = LatencyHistogram()
  }
  let isQuick: Bool

  private static let rounds = 21
  private static let windowRounds = 7
  /// Of the settings that the seed has not: they are shown, not judged.
  private static let otherRounds = 3

  /// - Parameters:
  ///   - quick: one round of each, no bars.
  ///   - window: pages that a synchronous store prepares where a window is measured, 2 to 512, rounded down to a power
  ///     of two.
  ///   - directory: where the image of the file device is made and removed.
  ///   - progress: called now and then with the share of the work that is done.
  /// - Throws: ``SyncBenchError``, or what the file system throws.
  public init(
    quick: Bool, window: UInt64 = KernelRules.faultline.direct.syncWindowPages, directory: String,
    progress: (Double) -> Void
  ) throws {
    isQuick = quick
    self.window =
      KernelRules.roundedFaultAround(bytes: min(window, SyncSetting.pages) << PageSize.shift) >> PageSize.shift
    let windowed = SyncSetting.windowed(self.window)
    let groups =
      [(SyncSetting.asPublished, Self.rounds)] + Self.grouped(SyncSetting.others).map { ($0, Self.otherRounds) }
      + Self.grouped(windowed).map { ($0, Self.windowRounds) }
    let total = groups.reduce(0) { $0 + $1.0.count * (quick ? 1 : $1.1) }
    var done = 0
    var rows: [Row] = []
    for (settings, rounds) in groups {
      let stage = try SyncStage(settings[0].mode, settings[0].device, directory: directory)
      var measured = settings.map { Row(setting: $0) }
      for _ in 0..<(quick ? 1 : rounds) {
        for index in measured.indices {
          progress(Double(done) / Double(total))
          measured[index].rounds.append(try stage.round(measured[index].setting))
          done += 1
        }
      }
      rows += measured
    }
    self.rows = Array(rows.dropLast(windowed.count))
    windowRows = rows.suffix(windowed.count)
    kernelRows = try Self.kernelRows(rounds: quick ? 1 : Self.otherRounds, directory: directory)
  }

  private static func kernelRows(rounds: Int, directory: String) throws -> [KernelRow] {
    guard let stage = KernelSyncStage(directory: directory) else { return [] }
    var rows = SyncSetting.Contents.allCases.flatMap { contents in
      [false, true].map { KernelRow(contents: contents, isSynchronous: $0) }
    }
    for _ in 0..<rounds {
      for index in rows.indices {
        rows[index].latencies.add(try stage.round(rows[index].contents, isSynchronous: rows[index].isSynchronous))
      }
    }
    return rows
  }

  /// By mode and device, each of which is a stage.
  private static func grouped(_ settings: [SyncSetting]) -> [[SyncSetting]] {
    MetadataMode.allCases.flatMap { mode in
      SyncSetting.Device.allCases.map { device in settings.filter { $0.mode == mode && $0.device == device } }
    }.filter { !$0.isEmpty }
  }

  func row(_ setting: SyncSetting) -> Row? { rows.first { $0.setting == setting } }

  /// What MAP_SYNC multiplies the cost by: round by round, the median of these.
  func ratio(_ setting: SyncSetting) -> Double? {
    var (with, without) = (setting, setting)
    with.isSynchronous = true
    without.isSynchronous = false
    guard let costly = row(with), let plain = row(without) else { return nil }
    return zip(costly.rounds, plain.rounds).map { Double($0.median) / Double(max(1, $1.median)) }.median
  }

  func windowRow(_ setting: SyncSetting) -> Row? { windowRows.first { $0.setting == setting } }

  /// What a page costs on average in one setting as a multiple of another: round by round, the median of these.
  func windowRatio(_ setting: SyncSetting, to other: SyncSetting) -> Double? {
    guard let row = windowRow(setting), let other = windowRow(other) else { return nil }
    return zip(row.rounds, other.rounds).map { Double($0.latencies.mean) / Double(max(1, $1.latencies.mean)) }.median
  }
}
