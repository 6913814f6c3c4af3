import Glibc

/// A line chart as SVG: window sizes along the bottom, shares of order 0 upwards, both in powers. Colours are classes of the
/// page that it stands in (`s0` to `s7` for lines, `m0` to `m7` for marks), so that one drawing serves light and dark screens.
struct LineChart {
  /// One line; points are (window order, share).
  struct Series {
    let name: String
    let points: [(order: Int, share: Double)]
    /// Tells lines apart by colour and by the shape of marks; any number from 0.
    let style: Int
    /// Drawn in dashes: not measured here.
    let isReference: Bool
  }

  static let colours = 8
  private static let (width, height) = (760.0, 420.0)
  private static let (left, right, top, bottom) = (86.0, 740.0, 16.0, 360.0)

  let label: String
  let series: [Series]

  private var shares: [Double] { series.flatMap { $0.points.map(\.share) }.filter { $0 > 0 } }
  /// The lowest and highest power of ten on the axis.
  private var decades: (low: Int, high: Int) {
    let low = Int(floor(log10(shares.min() ?? 0.1) + 1e-9))
    return (low, max(low + 1, Int(ceil(log10(shares.max() ?? 1) - 1e-9))))
  }

  var svg: String {
    let accessible = "role=\"img\" aria-label=\"\(HTMLText.escape(label))\""
    return """
      <svg viewBox="0 0 \(Int(LineChart.width)) \(Int(LineChart.height))" \(accessible)>
      \(grid)
      \(series.map(line).joined(separator: "\n"))
      </svg>
      """
  }

  /// The sign of a series beside its name in a legend.
  static func sign(of series: Series) -> String {
    let dash = series.isReference ? " ref" : ""
    return """
      <svg class="sign" viewBox="0 0 34 14" aria-hidden="true"><line class="s\(series.style % LineChart.colours)\(dash)" x1="1" y1="7" x2="33" \
      y2="7"/>\(series.isReference ? "" : mark(series.style, 17, 7))</svg>
      """
  }

  // MARK: Axes

  private var grid: String {
    let (low, high) = decades
    var parts: [String] = []
    for order in AroundSweep.orders {
      let x = LineChart.x(order)
      parts.append(
        "<line class=\"grid\" x1=\"\(text(x))\" y1=\"\(text(Self.top))\" x2=\"\(text(x))\" y2=\"\(text(Self.bottom))\"/>"
      )
      parts.append("<text x=\"\(text(x))\" y=\"\(text(Self.bottom + 18))\" text-anchor=\"middle\">\(1 << order)</text>")
    }
    for decade in low...high {
      let y = y(pow(10, Double(decade)))
      parts.append(
        "<line class=\"grid\" x1=\"\(text(Self.left))\" y1=\"\(text(y))\" x2=\"\(text(Self.right))\" y2=\"\(text(y))\"/>"
      )
      parts.append(
        "<text x=\"\(text(Self.left - 8))\" y=\"\(text(y + 4))\" text-anchor=\"end\">\(share(decade))</text>")
    }
    let middle = (Self.left + Self.right) / 2
    parts.append(
      "<text class=\"axis\" x=\"\(text(middle))\" y=\"\(text(Self.bottom + 44))\" text-anchor=\"middle\">fault-around window, pages of 4 KiB</text>"
    )
    let centre = (Self.top + Self.bottom) / 2
    parts.append(
      "<text class=\"axis\" transform=\"translate(16 \(text(centre))) rotate(-90)\" text-anchor=\"middle\">\(HTMLText.escape(label))</text>"
    )
    return parts.joined(separator: "\n")
  }

  private func share(_ decade: Int) -> String {
    decade >= 0
      ? NumberText.decimal(pow(10, Double(decade)), places: 0) : "0.\(String(repeating: "0", count: -decade - 1))1"
  }

  // MARK: Lines

  private func line(_ series: Series) -> String {
    let places = series.points.filter { $0.share > 0 }.map { (LineChart.x($0.order), y($0.share)) }
    let path = places.map { "\(text($0.0)),\(text($0.1))" }.joined(separator: " ")
    let name = "<title>\(HTMLText.escape(series.name))</title>"
    let drawn =
      "<polyline class=\"s\(series.style % LineChart.colours)\(series.isReference ? " ref" : "")\" points=\"\(path)\">\(name)</polyline>"
    let marks = series.isReference ? [] : places.map { LineChart.mark(series.style, $0.0, $0.1) }
    return ([drawn] + marks).joined()
  }

  /// Shapes tell the lines apart where colours do not.
  private static func mark(_ style: Int, _ x: Double, _ y: Double) -> String {
    let (a, b) = (text(x), text(y))
    let colour = style % colours
    // Lines of one colour have different shapes.
    switch (style + style / colours) % 4 {
    case 0: return "<circle class=\"m\(colour)\" cx=\"\(a)\" cy=\"\(b)\" r=\"5\"/>"
    case 1: return "<rect class=\"m\(colour)\" x=\"\(text(x - 4))\" y=\"\(text(y - 4))\" width=\"8\" height=\"8\"/>"
    case 2: return "<path class=\"m\(colour)\" d=\"M\(a) \(text(y - 5))l5 9h-10z\"/>"
    default: return "<path class=\"m\(colour)\" d=\"M\(a) \(text(y - 5))l5 5l-5 5l-5 -5z\"/>"
    }
  }

  private static func x(_ order: Int) -> Double {
    left + (right - left) * Double(order) / Double(AroundSweep.orders.upperBound)
  }

  private func y(_ share: Double) -> Double {
    let (low, high) = decades
    return Self.bottom - (Self.bottom - Self.top) * (log10(share) - Double(low)) / Double(high - low)
  }

  private static func text(_ value: Double) -> String { NumberText.decimal(value, places: 1).filter { $0 != "," } }
  private func text(_ value: Double) -> String { LineChart.text(value) }
}

/// Text inside a page.
enum HTMLText {
  static func escape(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
