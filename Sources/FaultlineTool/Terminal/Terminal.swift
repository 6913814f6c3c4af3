import Glibc

/// Words to the person at the terminal; results go to stdout by `print`.
enum Terminal {
  /// A line on stderr.
  static func say(_ line: String) { write(line + "\n") }

  /// Whether stderr is a terminal, so that progress may be drawn.
  static let isInteractive = isatty(2) == 1

  /// Text on stderr as it is.
  static func write(_ text: String) {
    var bytes = ArraySlice(text.utf8)
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}
