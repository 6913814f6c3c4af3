/// Numbers as people read them in tables.
enum NumberText {
  /// Digits in groups of three: `1,234,567`.
  static func grouped(_ value: UInt64) -> String {
    let digits = String(value)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// Bytes as millions with one decimal; the smallest amounts keep two.
  static func megabytes(_ bytes: UInt64) -> String { decimal(Double(bytes) / 1e6, places: bytes < 1_000_000 ? 2 : 1) }

  /// A time in the unit that keeps it short.
  static func duration(nanoseconds: Double) -> String {
    switch nanoseconds {
    case ..<1e6: decimal(nanoseconds / 1e3, places: 0) + " us"
    case ..<1e9: decimal(nanoseconds / 1e6, places: nanoseconds < 1e7 ? 2 : 1) + " ms"
    default: decimal(nanoseconds / 1e9, places: 2) + " s"
    }
  }

  /// A value with a fixed number of places, 0 to 6, rounded to nearest; beyond the range of integers it is `-`.
  static func decimal(_ value: Double, places: Int) -> String {
    var scale: UInt64 = 1
    for _ in 0..<places { scale *= 10 }
    guard let scaled = UInt64(exactly: (abs(value) * Double(scale)).rounded()) else { return "-" }
    let sign = value < 0 && scaled > 0 ? "-" : ""
    let whole = sign + grouped(scaled / scale)
    guard places > 0 else { return whole }
    let fraction = String(scaled % scale)
    return whole + "." + String(repeating: "0", count: places - fraction.count) + fraction
  }
}
