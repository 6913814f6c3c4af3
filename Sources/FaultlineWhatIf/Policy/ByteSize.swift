/// Byte counts as people type and read them: `0`, `4096`, `128K`, `4M`, `1G`, always in powers of 1024.
public enum ByteSize {
  /// The bytes that `text` names, or nil when it is not a size or does not fit 64 bits.
  public static func parse(_ text: some StringProtocol) -> UInt64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, let number = UInt64(digits) else { return nil }
    let shift: UInt64
    switch text.dropFirst(digits.count).uppercased() {
    case "", "B": shift = 0
    case "K", "KB", "KIB": shift = 10
    case "M", "MB", "MIB": shift = 20
    case "G", "GB", "GIB": shift = 30
    default: return nil
    }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
    return overflow ? nil : bytes
  }

  /// The shortest exact spelling; `parse` reads it back.
  public static func format(_ bytes: UInt64) -> String {
    for (shift, unit) in [(30, "G"), (20, "M"), (10, "K")] as [(UInt64, String)]
    where bytes >= 1 << shift && bytes & ((1 << shift) &- 1) == 0 {
      return "\(bytes >> shift)\(unit)"
    }
    return "\(bytes)"
  }
}
