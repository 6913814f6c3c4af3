import Faultline

extension SyncBench {
  /// The cases and bars of `--json`.
  public var report: BenchReport {
    BenchReport(
      benchmark: "sync", machine: HostText.machine,
      cases: rows.flatMap(cases) + ratios + windowRows.flatMap(cases) + kernelCases,
      bars: isQuick ? [] : bars + windowBars)
  }

  private func cases(_ row: Row) -> [BenchReport.Case] {
    let published = Self.published(row.setting)
    let source = published.map { _ in "the seed's measurement on a ramdisk, 2017" }
    var cases = [
      BenchReport.Case(
        name: "\(row.setting.name), mean", value: Double(row.latencies.mean), unit: "nanoseconds",
        anchor: published.map { Double($0.mean) * 1000 }, anchorSource: source),
      BenchReport.Case(name: "\(row.setting.name), median", value: row.median, unit: "nanoseconds"),
    ]
    if let commits = row.commits {
      cases.append(BenchReport.Case(name: "\(row.setting.name), commits", value: Double(commits), unit: "commits"))
    }
    return cases
  }

  private var kernelCases: [BenchReport.Case] {
    kernelRows.map { row in
      BenchReport.Case(
        name: "\(row.contents) \(row.isSynchronous ? "sync" : "nosync") on the running kernel, mean",
        value: Double(row.latencies.mean), unit: "nanoseconds")
    }
  }

  /// What MAP_SYNC multiplies the cost by.
  private var ratios: [BenchReport.Case] {
    rows.filter(\.setting.isSynchronous).compactMap { row in
      var plain = row.setting
      plain.isSynchronous = false
      guard let ratio = ratio(row.setting) else { return nil }
      let published = Self.published(row.setting).flatMap { with in
        Self.published(plain).map { Double(with.mean) / Double($0.mean) }
      }
      return BenchReport.Case(
        name: "\(row.setting.name), with MAP_SYNC / without", value: ratio, unit: "times", anchor: published,
        anchorSource: published.map { _ in "the seed's means" })
    }
  }

  static func published(_ setting: SyncSetting) -> PublishedSync? {
    guard setting.window == 1, setting.threads == 1, setting.size == .page, setting.mode == .orderedJournal,
      setting.device == .ram
    else { return nil }
    return PublishedSync.table(setting.contents, isBusy: setting.isBusy, isSynchronous: setting.isSynchronous)
  }

  private var bars: [BenchReport.Bar] {
    let written = SyncSetting(contents: .written, isSynchronous: true)
    let empty = SyncSetting(contents: .empty, isSynchronous: true)
    let withoutSync = rows.filter { !$0.setting.isSynchronous }.compactMap(\.commits).max() ?? 0
    return [
      BenchReport.Bar(
        name: "written blocks: cost with MAP_SYNC as a multiple of the cost without", .atMost, wanted: 1.05,
        got: ratio(written) ?? .infinity),
      BenchReport.Bar(
        name: "first store to a written block, median nanoseconds", .atMost, wanted: 1000,
        got: row(written)?.median ?? .infinity),
      BenchReport.Bar(
        name: "commits for 512 pages of an empty file with MAP_SYNC", .exactly, wanted: Double(SyncSetting.pages),
        got: Double(row(empty)?.commits ?? 0)),
      BenchReport.Bar(
        name: "commits for stores without MAP_SYNC, in any setting", .exactly, wanted: 0, got: Double(withoutSync)),
    ]
  }
}
