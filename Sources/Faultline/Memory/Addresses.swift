/// Sizes that every x86-64 kernel of the rules shares.
public enum PageSize {
  /// log2 of the bytes in a base page. Kernel: `PAGE_SHIFT`.
  public static let shift: UInt64 = 12
  /// Bytes in a base page. Kernel: `PAGE_SIZE`.
  public static let bytes: UInt64 = 1 << shift
  /// Entries in one page table, and base pages under one middle-level entry (2 MiB). Kernel: `PTRS_PER_PTE`.
  public static let entriesPerTable: UInt64 = 512

  /// The number of pages that `bytes` bytes touch, counted from a page boundary.
  @inline(__always)
  public static func pages(covering bytes: UInt64) -> UInt64 {
    bytes >> shift &+ (bytes & (PageSize.bytes - 1) == 0 ? 0 : 1)
  }
}

/// An address in a program's address space: never a host pointer, never a file offset.
public struct VirtualAddress: RawRepresentable, Hashable, Comparable, Sendable {
  public var rawValue: UInt64

  @inline(__always)
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  @inline(__always)
  public init(page: UInt64) { rawValue = page << PageSize.shift }

  /// The number of the page that holds the address.
  @inline(__always)
  public var page: UInt64 { rawValue >> PageSize.shift }

  /// The byte inside that page.
  @inline(__always)
  public var offsetInPage: UInt64 { rawValue & (PageSize.bytes - 1) }

  @inline(__always)
  public var isPageAligned: Bool { offsetInPage == 0 }

  @inline(__always)
  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

  /// One past the last address a user program may map on four-level x86-64. Kernel: `TASK_SIZE`.
  public static let end = VirtualAddress(rawValue: (1 << 47) - PageSize.bytes)
}

/// The number of a page frame: an index into the frame metadata. Kernel: pfn.
public struct FrameNumber: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt64

  @inline(__always)
  public init(rawValue: UInt64) { self.rawValue = rawValue }
}
