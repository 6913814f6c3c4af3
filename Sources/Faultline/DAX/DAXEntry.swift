/// What a slot of a file with DAX holds: a value, never a folio. Kernel: the encoding at the top of `fs/dax.c`.
///
/// Says which frame shows the page, or that there is nothing to show yet, and carries the lock of its page or of its 2 MiB.
struct DAXEntry: Equatable {
  /// As it lies in the slot: bit 0 says that it is a value.
  var rawValue: UInt64

  private static let valueBit: UInt64 = 1 << 0
  private static let lockedBit: UInt64 = 1 << 1
  private static let hugeBit: UInt64 = 1 << 2
  private static let zeroBit: UInt64 = 1 << 3
  private static let emptyBit: UInt64 = 1 << 4
  private static let frameShift: UInt64 = 5

  init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Nothing is known of the page but who works on it.
  static func empty(_ size: DirectSize) -> DAXEntry {
    DAXEntry(rawValue: valueBit | emptyBit | (size == .huge ? hugeBit : 0))
  }

  /// Zeroes are shown for a hole.
  static func zero(_ frame: FrameNumber, _ size: DirectSize) -> DAXEntry {
    DAXEntry(rawValue: frame.rawValue << frameShift | valueBit | zeroBit | (size == .huge ? hugeBit : 0))
  }

  /// The device's own page is shown.
  static func block(_ frame: FrameNumber, _ size: DirectSize) -> DAXEntry {
    DAXEntry(rawValue: frame.rawValue << frameShift | valueBit | (size == .huge ? hugeBit : 0))
  }

  var isLocked: Bool { rawValue & Self.lockedBit != 0 }
  var isHuge: Bool { rawValue & Self.hugeBit != 0 }
  var isZero: Bool { rawValue & Self.zeroBit != 0 }
  var isEmpty: Bool { rawValue & Self.emptyBit != 0 }
  var isBlock: Bool { rawValue & (Self.zeroBit | Self.emptyBit) == 0 }
  var frame: FrameNumber { FrameNumber(rawValue: rawValue >> Self.frameShift) }
  var size: DirectSize { isHuge ? .huge : .page }

  var locked: DAXEntry { DAXEntry(rawValue: rawValue | Self.lockedBit) }
  var unlocked: DAXEntry { DAXEntry(rawValue: rawValue & ~Self.lockedBit) }

  /// The pages that it stands for, if it covers `index`.
  func pages(around index: UInt64) -> Range<UInt64> { size.pages(around: index) }
}

/// The two sizes in which a file with DAX is mapped.
enum DirectSize: Equatable {
  case page
  /// 2 MiB.
  case huge

  var order: UInt64 { self == .huge ? PhysicalMemory.pmdOrder : 0 }
  var pageCount: UInt64 { 1 << order }
  var byteCount: UInt64 { pageCount << PageSize.shift }

  /// The first page of the piece of this size that `index` lies in.
  func first(of index: UInt64) -> UInt64 { index & ~(pageCount - 1) }

  func pages(around index: UInt64) -> Range<UInt64> { first(of: index)..<first(of: index) + pageCount }
}
