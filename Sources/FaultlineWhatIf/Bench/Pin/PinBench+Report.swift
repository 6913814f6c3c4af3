import Faultline

extension PinBench {
  /// The cases and bars of `--json`.
  public var report: BenchReport {
    BenchReport(
      benchmark: "pin", machine: HostText.machine, cases: rows.flatMap(cases) + loopCases + threadCases + metadataCases,
      bars: isQuick ? [] : countingBars + recordingBars + headBars + singleBars)
  }

  private func cases(_ row: Row) -> [BenchReport.Case] {
    let published = PublishedPin.milliseconds(row.setting)
    return [
      BenchReport.Case(
        name: row.setting.name, value: Self.milliseconds(row.gets), unit: "milliseconds", anchor: published,
        anchorSource: published.map { _ in "the seed's measurement, 2020" }),
      BenchReport.Case(
        name: "\(row.setting.name), given back", value: Self.milliseconds(row.puts), unit: "milliseconds"),
    ]
  }

  private var loopCases: [BenchReport.Case] {
    loops.named.map {
      BenchReport.Case(name: "in C: \($0.name)", value: Self.milliseconds($0.times), unit: "milliseconds")
    }
  }

  private var threadCases: [BenchReport.Case] {
    threadRows.flatMap { row in
      [("one thread", row.one), ("two threads", row.two)].map { name, rates in
        BenchReport.Case(
          name: "\(row.kind.name) and give back, 4 KiB, \(name)", value: rates.median / 1e6,
          unit: "million pages/s")
      }
    }
  }

  /// What a kernel spends on a TiB of a device, computed.
  static var metadata: [(size: FolioSize, metadata: DeviceMetadata)] {
    FolioSize.allCases.compactMap { size in
      (try? DeviceMetadata(pageCount: 1 << 28, order: size.rawValue)).map { (size, $0) }
    }
  }

  private var metadataCases: [BenchReport.Case] {
    Self.metadata.map { size, metadata in
      BenchReport.Case(
        name: "metadata of a TiB in folios of \(size.name), tails shared, page tables included",
        value: Double(metadata.sharedBytes + metadata.tableBytes), unit: "bytes", anchor: Double(metadata.plainBytes),
        anchorSource: "metadata of its own for each page")
    }
  }

  /// The median of the rounds.
  static func milliseconds(_ nanoseconds: [UInt64]) -> Double { nanoseconds.map { Double($0) }.median / 1e6 }

  // MARK: Bars

  private func row(_ kind: HoldKind, _ change: (inout PinSetting) -> Void = { _ in }) -> Row? {
    row(PinSetting(kind: kind).with(change))
  }

  /// What counting by folios saves.
  private var countingBars: [BenchReport.Bar] {
    let each = row(.reference) { $0.path = .eachPage }?.gets
    let get = row(.reference)?.gets
    return [
      BenchReport.Bar(
        name: "get with a step a page, as a multiple of the same loop in C", .atMost, wanted: 1.15,
        got: Self.ratio(each, to: loops.getEach) ?? .infinity),
      BenchReport.Bar(
        name: "get: a step a page as a multiple of a step a folio", wanted: PublishedPin.getEachPage / PublishedPin.get,
        got: Self.ratio(each, to: get) ?? 0),
      BenchReport.Bar(
        name: "pin as a multiple of get", .atMost, wanted: 1.12,
        got: Self.ratio(row(.pin)?.gets, to: get) ?? .infinity),
    ]
  }

  /// How near it comes to what recording the pages costs by itself.
  private var recordingBars: [BenchReport.Bar] {
    [HoldKind.reference, .pin].map { kind in
      BenchReport.Bar(
        name: "\(kind.name) as a multiple of writing the array of pages in C", .atMost, wanted: 1.5,
        got: Self.ratio(row(kind)?.gets, to: loops.write) ?? .infinity)
    } + [
      BenchReport.Bar(
        name: "unpin as a multiple of reading that array in C", .atMost, wanted: 2.5,
        got: Self.ratio(row(.pin)?.puts, to: loops.read) ?? .infinity),
      BenchReport.Bar(
        name: "unpin of heads as a multiple of the same", .atMost, wanted: 1.5,
        got: Self.ratio(row(.pin) { $0.form = .runs }?.puts, to: loops.read) ?? .infinity),
    ]
  }

  /// How many times faster heads alone are than all pages.
  private var headBars: [BenchReport.Bar] {
    [(FolioSize.huge, 4.0), (.giant, 100)].flatMap { size, wanted in
      [HoldKind.reference, .pin].map { kind in
        let pages = PinSetting.measured(size).first { $0.kind == kind && $0.path == .fast && $0.form == .pages }
        let heads = pages.map { $0.with { $0.form = .runs } }
        return BenchReport.Bar(
          name: "\(kind.name), \(size.name): all pages as a multiple of heads only", wanted: wanted,
          got: Self.ratio(pages.flatMap(row)?.gets, to: heads.flatMap(row)?.gets) ?? 0)
      }
    }
  }

  private var singleBars: [BenchReport.Bar] {
    threadRows.flatMap { row in
      [
        BenchReport.Bar(
          name: "\(row.kind.name) and give back, 4 KiB: million pages/s of one thread", wanted: 30,
          got: row.one.median / 1e6),
        BenchReport.Bar(
          name: "\(row.kind.name) and give back, 4 KiB: two threads as a multiple of one", wanted: 1.9, got: row.gain),
      ]
    }
  }
}

extension HoldKind {
  var name: String { self == .pin ? "pin" : "get" }
}
