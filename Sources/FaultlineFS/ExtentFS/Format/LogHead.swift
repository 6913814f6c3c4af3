import Faultline

/// Where the log begins, and whether there is anything in it. Two records in lines of their own take turns: a torn one
/// leaves the other.
///
/// 0 magic (4) · 4 CRC-32C of the 64 bytes (4) · 8 generation (8) · 16 state (4) · 24 start (8) · 32 transaction expected there (8)
struct LogHead: Hashable, Sendable {
  enum State: UInt32, Sendable {
    /// Unmounted: the log is empty and everything is home.
    case clean = 1
    /// Mounted, or not unmounted.
    case inUse = 2
  }

  /// Which of the two records is the newer one.
  var generation: UInt64
  var state: State
  /// Position in the log, counted in blocks from its start.
  var start: UInt64
  var sequence: UInt64

  private static let magic: UInt32 = 0x4848_4c46  // "FLHH"
  static let recordBytes = 64

  /// Where its record lies, in bytes of the device.
  var offset: UInt64 { Geometry.logHeadBlock << PageSize.shift + (generation & 1) * UInt64(LogHead.recordBytes) }

  func encode() -> RawBlock {
    let block = RawBlock(count: LogHead.recordBytes)
    block.bytes.set(0, LogHead.magic)
    block.bytes.set(8, generation)
    block.bytes.set(16, state.rawValue)
    block.bytes.set(24, start)
    block.bytes.set(32, sequence)
    block.bytes.set(4, block.readable.checksum(count: LogHead.recordBytes, without: 4))
    return block
  }

  /// The newer whole record of the two.
  static func decode(_ block: UnsafeRawPointer, geometry: Geometry) -> LogHead? {
    let one = record(block, geometry: geometry)
    let other = record(block + recordBytes, geometry: geometry)
    guard let one, let other else { return one ?? other }
    return one.generation > other.generation ? one : other
  }

  private static func record(_ at: UnsafeRawPointer, geometry: Geometry) -> LogHead? {
    guard at.number(0, as: UInt32.self) == magic,
      at.number(4, as: UInt32.self) == at.checksum(count: recordBytes, without: 4),
      let state = State(rawValue: at.number(16))
    else { return nil }
    let head = LogHead(generation: at.number(8), state: state, start: at.number(24), sequence: at.number(32))
    // The last numbers are kept free so that none that follows overflows.
    guard head.start < geometry.logCount, head.sequence > 0, head.sequence < 1 << 62, head.generation < 1 << 62 else {
      return nil
    }
    return head
  }
}
