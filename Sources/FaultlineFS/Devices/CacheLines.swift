import CLinux

/// Lines of the processor's cache: what is flushed, and what a crash keeps or loses.
public enum CacheLine {
  /// Bytes in a line.
  public static let bytes: UInt64 = 64
  /// log2 of them.
  public static let shift: UInt64 = 6

  /// The lines that a range of bytes touches, by their number from the start of the device.
  public static func lines(of range: Range<UInt64>) -> Range<UInt64> {
    guard !range.isEmpty else { return 0..<0 }
    return range.lowerBound >> shift..<((range.upperBound &- 1) >> shift) &+ 1
  }
}

/// The processor's instructions that write lines back to what lies behind them.
public enum FlushInstruction: Sendable {
  /// Writes the line back and drops it, one after the other.
  case clflush
  /// Writes the line back and drops it; any number at a time.
  case clflushopt
  /// Writes the line back and may keep it; any number at a time.
  case clwb

  /// The best that this processor has; `nil` where there is none that a program may use.
  public static var ofThisProcessor: FlushInstruction? {
    switch Int(cl_flush_instruction()) {
    case Int(CL_FLUSH_CLWB): .clwb
    case Int(CL_FLUSH_CLFLUSHOPT): .clflushopt
    case Int(CL_FLUSH_CLFLUSH): .clflush
    default: nil
    }
  }
}
