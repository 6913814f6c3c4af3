import Faultline

/// What a synchronous store saves by preparing the pages around its own.
extension SyncBench {
  /// With fewer pages than these a window is measured and not judged by time.
  private static let judgedWindow: UInt64 = 16

  private func setting(_ device: SyncSetting.Device) -> SyncSetting {
    SyncSetting(contents: .empty, isSynchronous: true, device: device, window: window)
  }

  private func commits(_ setting: SyncSetting) -> Double {
    guard let commits = windowRow(setting)?.commits else { return .infinity }
    return Double(commits)
  }

  var windowBars: [BenchReport.Bar] {
    var bars: [BenchReport.Bar] = []
    for device in SyncSetting.Device.allCases {
      bars.append(
        BenchReport.Bar(
          name: "\(device.rawValue): commits for 512 pages of an empty file, window \(window)", .exactly,
          wanted: Double(SyncSetting.pages / window),
          got: commits(setting(device))))
    }
    if window >= Self.judgedWindow {
      bars += [
        BenchReport.Bar(
          name: "file: time of a page as a share of that without a window", .atMost, wanted: 0.125,
          got: windowRatio(setting(.file), to: setting(.file).with { $0.window = 1 }) ?? .infinity),
        BenchReport.Bar(
          name: "ram: time of a page as a multiple of that without MAP_SYNC", .atMost, wanted: 2,
          got: windowRatio(
            setting(.ram),
            to: setting(.ram).with {
              $0.window = 1
              $0.isSynchronous = false
            }) ?? .infinity),
      ]
    }
    for device in SyncSetting.Device.allCases {
      bars.append(
        BenchReport.Bar(
          name: "\(device.rawValue): commits of two threads on one file, \(SyncSetting.pages) faults", .atMost,
          wanted: Double(SyncSetting.pages - 1), got: commits(setting(device).with { $0.threads = 2 })))
    }
    return bars
  }

  var windowTable: TextTable {
    var table = TextTable(
      head: ["file", "device", "MAP_SYNC", "window", "threads", "median ns", "mean ns", "max ns", "commits"])
    for row in windowRows {
      let setting = row.setting
      table.add([
        setting.contents.rawValue, setting.device.rawValue, setting.isSynchronous ? "yes" : "no", "\(setting.window)",
        "\(setting.threads)", NumberText.decimal(row.median, places: 0), NumberText.grouped(row.latencies.mean),
        NumberText.grouped(row.latencies.most), row.commits.map { "\($0)" } ?? "-",
      ])
    }
    return table
  }
}
