/// One line on stderr that is drawn over and over while work goes on, and wiped at its end. Silent without a terminal.
struct ProgressLine {
  private let width = 24
  private var drawn = ""

  /// Shows how far the work is.
  ///
  /// - Parameter fraction: 0 to 1, or nil while the end is not known.
  mutating func show(_ text: String, fraction: Double?) {
    guard Terminal.isInteractive else { return }
    var line = text
    if let fraction {
      let full = Int(min(max(fraction, 0), 1) * Double(width))
      line = "[\(String(repeating: "#", count: full))\(String(repeating: ".", count: width - full))] " + text
    }
    guard line != drawn else { return }
    Terminal.write("\r\u{1B}[K" + line)
    drawn = line
  }

  /// Leaves the line empty for what comes next.
  mutating func wipe() {
    guard !drawn.isEmpty else { return }
    Terminal.write("\r\u{1B}[K")
    drawn = ""
  }
}
