import Faultline

extension PinBench {
  /// For a terminal: the seed's table with its own figures beside them, then all settings, then the bars.
  public var tableText: String {
    let pages = rows.first { $0.setting.size == .huge }?.pageCount ?? 0
    let intro =
      "Taking hold of \(NumberText.grouped(pages >> 8)) MiB, medians of \(rows.first?.rounds.count ?? 0) rounds in milliseconds. "
      + "Metadata only: no page is read or written. Seed 002: a device's memory of 16,384 MiB, 2020."
    return [
      intro, publishedTable.text, settingTable.text, loopTable.text, threadTable.text, metadataTable.text,
      report.bars.map(\.text).joined(separator: "\n"),
    ].filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private var publishedTable: TextTable {
    var table = TextTable(
      head: ["2 MiB folios", "a step a page", "a step a folio", "times", "seed: a page", "a folio", "times"])
    for kind in [HoldKind.reference, .pin] {
      let setting = PinSetting(kind: kind)
      let each = setting.with { $0.path = .eachPage }
      guard let before = row(each), let after = row(setting), let posted = PublishedPin.milliseconds(each),
        let postedAfter = PublishedPin.milliseconds(setting), let ratio = Self.ratio(before.gets, to: after.gets)
      else { continue }
      table.add(
        [kind.name]
          + [Self.milliseconds(before.gets), Self.milliseconds(after.gets), ratio].map(Self.text)
          + [posted, postedAfter, posted / postedAfter].map(Self.text))
    }
    return table
  }

  private var settingTable: TextTable {
    var table = TextTable(head: ["", "taken", "given back", "ns a page taken"])
    for row in rows {
      let taken = Self.milliseconds(row.gets)
      table.add([
        row.setting.name, Self.text(taken), Self.text(Self.milliseconds(row.puts)),
        NumberText.decimal(taken * 1e6 / Double(max(1, row.pageCount)), places: 4),
      ])
    }
    return table
  }

  private var loopTable: TextTable {
    var table = TextTable(head: ["the loops in C", "milliseconds"])
    for (name, times) in loops.named { table.add([name, Self.text(Self.milliseconds(times))]) }
    return table
  }

  private var threadTable: TextTable {
    var table = TextTable(head: ["4 KiB folios, million pages/s", "one thread", "two threads", "times"])
    for row in threadRows {
      table.add(
        ["\(row.kind.name) and give back"]
          + [row.one.median / 1e6, row.two.median / 1e6, row.gain].map(Self.text))
    }
    return table
  }

  private var metadataTable: TextTable {
    var table = TextTable(
      head: ["metadata of a TiB, MiB", "of each page", "tails shared", "page tables for that", "saved"])
    for (size, metadata) in Self.metadata {
      table.add(
        [size.name]
          + [metadata.plainBytes, metadata.sharedBytes, metadata.tableBytes, metadata.savedBytes].map {
            NumberText.grouped($0 >> 20)
          })
    }
    return table
  }

  private static func text(_ value: Double) -> String { NumberText.decimal(value, places: 2) }
}

extension PinBench.Loops {
  var named: [(name: String, times: [UInt64])] {
    [("a step a page", getEach), ("the array of pages written", write), ("the array of pages read", read)]
  }
}
