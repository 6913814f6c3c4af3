/// # Tables
///
/// Page tables: the entry format, the tables' memory, and walks over them.
///
/// Laws
/// 1. Every entry is a shared word. It changes only under the lock of its table, except that the processor sets
///    accessed and dirty bits when it likes.
/// 2. An entry read without its lock is a guess: under the lock it is compared with the guess before it is changed.
/// 3. A present leaf entry of an ordinary page owns one reference and one map count of that page; the zero page's owns
///    neither. Whoever clears an entry gives back both.
/// 4. A table is freed only when every entry in it is none and no address that it covers is mapped by it.
/// 5. A huge entry, in a middle table, owns one reference and one huge map count of its folio; so does a gigantic one,
///    in an upper table. That of private memory also owns a deposited table, so that splitting it never fails.
/// 6. Who has locked a leaf table looks whether it is still entered: a collapse may have taken it out.
///
/// Lock order: folio lock, then one table's lock; two tables' locks are held together only to take an
/// empty leaf table out: its own, then its middle table's.
///
/// This folder calls `Memory/` and `Sync/`.

/// An entry that maps memory, in the x86-64 format: one page, in a middle table 2 MiB, in an upper one 1 GiB. Kernel:
/// `pte_t`, `pmd_t`, `pud_t`.
public struct PageTableEntry: RawRepresentable, Equatable, Sendable {
  public var rawValue: UInt64

  @inline(__always)
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Nothing was ever entered, or it was taken out.
  public static let none = PageTableEntry(rawValue: 0)

  static let presentBit: UInt64 = 1 << 0
  static let writableBit: UInt64 = 1 << 1
  static let userBit: UInt64 = 1 << 2
  static let accessedBit: UInt64 = 1 << 5
  static let dirtyBit: UInt64 = 1 << 6
  /// In a middle or an upper table: this entry maps 2 MiB or 1 GiB. Kernel: `_PAGE_PSE`.
  static let hugeBit: UInt64 = 1 << 7
  /// With `hugeBit`: in an upper table. A processor knows by the level; who has only the entry must know it too, so it
  /// is told in a bit that processors leave to software.
  static let giganticBit: UInt64 = 1 << 53
  /// The page is there but the mapping allows no access. Kernel: `_PAGE_PROTNONE`.
  static let noAccessBit: UInt64 = 1 << 8
  /// A page that is not reference counted: the zero page. Kernel: `_PAGE_SPECIAL`.
  static let specialBit: UInt64 = 1 << 9
  /// With `specialBit` in a huge entry: zeroes of a file's hole, which has no table deposited for a split and just
  /// goes.
  static let holeBit: UInt64 = 1 << 52
  static let noExecuteBit: UInt64 = 1 << 63
  static let frameMask: UInt64 = ((1 << 40) - 1) << PageSize.shift

  /// No page, and none may come: an access ends in a signal. Kernel: `PTE_MARKER_GUARD`.
  static let guardMarker = PageTableEntry(rawValue: 1 << 10)
  /// The page that was here is lost: its memory is damaged. Kernel: a hwpoison swap entry.
  static let poisonMarker = PageTableEntry(rawValue: 1 << 11)

  @inline(__always)
  init(frame: FrameNumber, permissions: UInt64) {
    rawValue = frame.rawValue << PageSize.shift | permissions
  }

  @inline(__always)
  public var isNone: Bool { rawValue == 0 }

  /// Whether a page is entered, be it accessible or not. Kernel: `pte_present`.
  @inline(__always)
  public var isPresent: Bool { rawValue & (Self.presentBit | Self.noAccessBit) != 0 }

  /// Whether the page is entered but no access is let through. Kernel: `pte_protnone`.
  public var isInaccessible: Bool { rawValue & (Self.presentBit | Self.noAccessBit) == Self.noAccessBit }

  @inline(__always)
  public var isWritable: Bool { rawValue & Self.writableBit != 0 }

  @inline(__always)
  public var isAccessed: Bool { rawValue & Self.accessedBit != 0 }

  @inline(__always)
  public var isDirty: Bool { rawValue & Self.dirtyBit != 0 }

  /// Whether one entry maps this page and all others of a folio: 2 MiB or 1 GiB. Kernel: `pmd_trans_huge`,
  /// `pud_trans_huge`.
  @inline(__always)
  public var isHuge: Bool { rawValue & Self.hugeBit != 0 }

  /// Whether the entry maps 1 GiB. Kernel: `pud_leaf`.
  @inline(__always)
  public var isGigantic: Bool { rawValue & Self.giganticBit != 0 }

  /// Pages that the entry maps: 1, 512 or 262144.
  public var pageCount: UInt64 { isHuge ? isGigantic ? PageTable.giganticPageCount : PageSize.entriesPerTable : 1 }

  /// Whether this is the zero page.
  @inline(__always)
  public var isSpecial: Bool { rawValue & Self.specialBit != 0 }

  /// Whether it shows zeroes for 2 MiB of a file's hole.
  public var isHole: Bool { rawValue & Self.holeBit != 0 }

  @inline(__always)
  public var frame: FrameNumber { FrameNumber(rawValue: (rawValue & Self.frameMask) >> PageSize.shift) }

  /// Everything but the frame and the size.
  var permissions: UInt64 { rawValue & ~(Self.frameMask | Self.hugeBit | Self.giganticBit) }

  /// The same entry for the frame `count` frames further on.
  @inline(__always)
  func advanced(by count: UInt64) -> PageTableEntry { PageTableEntry(rawValue: rawValue &+ count << PageSize.shift) }

  /// What the entry says of `page`, which it maps: a huge one, with the frame of that page.
  func single(_ page: UInt64) -> PageTableEntry {
    isHuge ? advanced(by: page & (pageCount &- 1)) : self
  }

  @inline(__always)
  func with(_ bits: UInt64) -> PageTableEntry { PageTableEntry(rawValue: rawValue | bits) }

  @inline(__always)
  func without(_ bits: UInt64) -> PageTableEntry { PageTableEntry(rawValue: rawValue & ~bits) }

  /// The same page under other permissions; accessed, dirty and special stay. Kernel: `pte_modify`.
  func withPermissions(_ permissions: UInt64) -> PageTableEntry {
    let kept =
      Self.frameMask | Self.accessedBit | Self.dirtyBit | Self.specialBit | Self.hugeBit | Self.giganticBit
      | Self.holeBit
    return PageTableEntry(rawValue: rawValue & kept | permissions)
  }

  /// What the processor wants of an entry before it lets this access through, and what it sets when it does.
  struct Demand {
    let mask: UInt64
    let value: UInt64
    let marks: UInt64

    static let read = Demand(
      mask: presentBit, value: presentBit, marks: accessedBit)
    static let write = Demand(
      mask: presentBit | writableBit, value: presentBit | writableBit, marks: accessedBit | dirtyBit)
    static let execute = Demand(
      mask: presentBit | noExecuteBit, value: presentBit, marks: accessedBit)

    @inline(__always)
    static func of(_ access: Access) -> Demand {
      switch access {
      case .read: .read
      case .write: .write
      case .execute: .execute
      }
    }
  }
}

/// Who touches the memory of a program.
enum AccessOrigin {
  /// Its own instruction.
  case program
  /// The kernel, in a system call that the program made. Its faults start under the address space's lock.
  case kernel
}

/// One access of a program to its memory.
public enum Access: UInt8, Sendable {
  case read, write, execute
}
