extension AroundBench {
  /// Plots and tables as one page: no scripts, nothing loaded from elsewhere, colours for light and dark screens.
  public var html: String {
    let charts = [
      (
        "Faults",
        "Faults, as a share of those with a window of one page, which is fault-around switched off. Lower is better.",
        chart("faults, relative to a window of 1 page", AroundSweep.faultShare) { $0.faultShare($1) }
      ),
      (
        "Estimated time",
        "Time spent on faults, as a share of that with a window of one page. Estimated from costs "
          + "\(costs.origin): \(NumberText.decimal(costs.faultNanoseconds, places: 0)) ns a fault, "
          + "\(NumberText.decimal(costs.mappedPageNanoseconds, places: 1)) ns each further page it maps. "
          + "The times of 2014 are of whole runs, faults and everything else.",
        chart("estimated time, relative to a window of 1 page", AroundSweep.timeShare) { $0.timeShare($1) }
      ),
      (
        "Pages mapped",
        "Page-table entries made, as a share of those with a window of one page: what is above 1 was mapped in vain.",
        chart("pages mapped, relative to a window of 1 page", AroundBench.mappedShare) { _, _ in nil }
      ),
    ]
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>Fault-around windows of 1 to 512 pages</title>
      <style>
      \(AroundBench.style)
      </style>
      </head>
      <body>
      <h1>Fault-around windows of 1 to 512 pages</h1>
      <p>Every file page is cached. Faults and mapped pages are counted by Faultline's engine. Solid lines are this run, dashed
      lines what Linux 3.15's fault-around was posted with in 2014. Kernels use 16 pages unless told otherwise.</p>
      \(charts.map(AroundBench.figure).joined(separator: "\n"))
      <h2>Figures</h2>
      \(sweeps.map(AroundBench.section).joined(separator: "\n"))
      </body>
      </html>

      """
  }

  private static func mappedShare(_ sweep: AroundSweep) -> (Int) -> Double {
    { Double(sweep[$0].pagesMapped) / Double(max(1, sweep[0].pagesMapped)) }
  }

  private func chart(
    _ label: String, _ share: (AroundSweep) -> (Int) -> Double, _ published: (PublishedSweep, Int) -> Double?
  ) -> LineChart {
    var series: [LineChart.Series] = []
    var shown: [String] = []
    for (index, sweep) in sweeps.enumerated() {
      series.append(
        LineChart.Series(
          name: sweep.name, points: AroundSweep.orders.map { (order: $0, share: share(sweep)($0)) }, style: index,
          isReference: false))
      guard let source = sweep.published, !shown.contains(source.name) else { continue }
      shown.append(source.name)
      let points = AroundSweep.orders.compactMap { order in published(source, order).map { (order: order, share: $0) } }
      if points.isEmpty { continue }
      series.append(
        LineChart.Series(name: "2014: \(source.name)", points: points, style: index, isReference: true))
    }
    return LineChart(label: label, series: series)
  }

  private static func figure(_ title: String, _ about: String, _ chart: LineChart) -> String {
    let legend = chart.series.map { "<li>\(LineChart.sign(of: $0))\(HTMLText.escape($0.name))</li>" }
    return """
      <figure>
      <h2>\(HTMLText.escape(title))</h2>
      <figcaption>\(HTMLText.escape(about))</figcaption>
      \(chart.svg)
      <ul>\(legend.joined())</ul>
      </figure>
      """
  }

  private static func section(_ sweep: AroundSweep) -> String {
    let rows = sweep.outcomes.map { outcome in
      let order = outcome.order
      let cells = [
        "\(outcome.windowPages)", NumberText.grouped(outcome.faults), NumberText.grouped(outcome.pagesMapped),
        NumberText.duration(nanoseconds: outcome.nanoseconds), share(sweep.faultShare(order)),
        share(sweep.published?.faultShare(order)), share(sweep.timeShare(order)),
        share(sweep.published?.timeShare(order)),
      ]
      return "<tr>\(cells.map { "<td>\($0)</td>" }.joined())</tr>"
    }
    let recorded = sweep.recordedFaults.map {
      " With a window of 16 pages the recording kernel counted \(NumberText.grouped($0)) faults in files."
    }
    let source = sweep.published.map { " 2014: \($0.name)." }
    let head = [
      "window, pages", "faults", "pages mapped", "est. time", "faults, share", "2014", "time, share", "2014",
    ]
    return """
      <h3>\(HTMLText.escape(sweep.name))</h3>
      <p>\(HTMLText.escape(sweep.about)).\(HTMLText.escape((recorded ?? "") + (source ?? "")))</p>
      <div class="wide"><table><thead><tr>\(head.map { "<th>\($0)</th>" }.joined())</tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
      """
  }

  /// Eight colours that stay apart for colour-blind readers, once for each background.
  private static var style: String {
    let light = ["#0072b2", "#c44e00", "#00815d", "#a8538a", "#8a6d00", "#3d5a80", "#7a4b1f", "#5b5b5b"]
    let dark = ["#5ab4f0", "#ff9a5c", "#3fd0a0", "#f0a3d0", "#e8c64a", "#a9c4ea", "#d6a67a", "#bdbdbd"]
    let names = (0..<LineChart.colours).map { "--c\($0)" }
    func variables(_ colours: [String]) -> String { zip(names, colours).map { "\($0): \($1);" }.joined(separator: " ") }
    let classes = (0..<LineChart.colours).map { ".s\($0) { stroke: var(--c\($0)); } .m\($0) { fill: var(--c\($0)); }" }
    return """
      :root { color-scheme: light dark; --ink: #1b1b1b; --paper: #ffffff; --rule: #d9d9d9; \(variables(light)) }
      @media (prefers-color-scheme: dark) {
        :root { --ink: #ececec; --paper: #16181c; --rule: #3a3e46; \(variables(dark)) }
      }
      body { color: var(--ink); background: var(--paper); font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
      figure { margin: 2rem 0; }
      figure svg:not(.sign) { width: 100%; height: auto; }
      svg text { fill: var(--ink); font-size: 13px; }
      .axis { font-size: 14px; }
      .grid { stroke: var(--rule); stroke-width: 1; }
      polyline, .sign line { fill: none; stroke-width: 2; }
      .ref { stroke-dasharray: 6 4; }
      .sign { width: 34px; height: 14px; vertical-align: middle; margin-right: .4em; }
      ul { list-style: none; padding: 0; columns: 2; }
      .wide { overflow-x: auto; }
      table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
      th, td { text-align: right; padding: .15rem .6rem; border-bottom: 1px solid var(--rule); }
      \(classes.joined(separator: "\n"))
      """
  }
}
