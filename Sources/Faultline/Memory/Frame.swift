/// # Memory
///
/// Page frames: their metadata, the allocator that hands them out, and their contents when a machine has any.
///
/// Laws
/// 1. A frame's metadata is one 64-byte ``Frame`` in an array that never moves; a pointer to it *is* the frame's identity.
/// 2. A folio is 2^order consecutive, naturally aligned frames. Its first frame, the head, carries its references, its lock,
///    its flags and its place in a cache; every frame carries the count of page-table entries that map
///    that page alone, and the first tail those that map all, and the sum of both.
/// 3. References: one for each page in a cache's slot, one for each page-table entry that maps a page of it, one for each
///    caller that looked it up. Who takes one gives it back; at zero the frames return to the allocator.
/// 4. A folio that is found without a lock may be freed at any moment until a reference on it was taken with
///    ``Folio/tryGet()``; after that its place must be checked again, for it may have been freed and used anew.
/// 5. A single frame that nobody holds lies in a free list or waits in a ``FrameCache``. What one thread does gets the same
///    frames on every run, whichever cache is its own.
///
/// Lock order: a folio's lock is outside page-table locks and the cache's slot lock; under a page-table lock it is only
/// tried. The lock of a frame cache comes after all of them, and the allocator's is innermost.
///
/// This folder calls `Sync/` only.

/// The metadata of one page frame, in raw memory. Kernel: `struct page`.
struct Frame: ~Copyable {
  /// Life word: bits 0 to 31 references, 32 to 62 entries that map this page, 63 the folio's lock. One word, so that a
  /// prefault takes reference and lock in one atomic step and turns both into a mapping in another.
  let life: AtomicWord
  /// ``FolioFlags``; bits 56 to 63 hold the folio's order.
  let flags: AtomicWord
  /// The cache the folio lies in (the address of its ``PageCache``), 0 for none, ``Frame/anonymousMapping`` for private memory.
  let mapping: AtomicWord
  /// The folio's first page in that cache.
  let index: AtomicWord
  /// Neighbours in the one list that a frame can be in: a free list of the allocator, or a reclaim list.
  let next: AtomicWord
  let previous: AtomicWord
  /// In a tail, the address of the head's metadata; in a head or a single frame, 0. Kernel: `compound_head`.
  let head: AtomicWord
  /// Free for the owner of the folio. In a cache: the number of the asynchronous read that brought it, 0 for others. In the
  /// first tail: huge entries that map the folio, and in its `index` entries of either size.
  let owner: AtomicWord

  static let referenceUnit: UInt64 = 1
  static let mapUnit: UInt64 = 1 << 32
  static let lockBit: UInt64 = 1 << 63
  static let referenceMask: UInt64 = (1 << 32) - 1
  static let mapMask: UInt64 = (1 << 63) - (1 << 32)
  static let anonymousMapping: UInt64 = 1
}

typealias FramePointer = UnsafeMutablePointer<Frame>

/// What is known of a folio's contents and whereabouts. Kernel: `enum pageflags`.
public struct FolioFlags: OptionSet, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The contents are the file's. Kernel: `PG_uptodate`.
  public static let uptodate = FolioFlags(rawValue: 1 << 0)
  /// The contents are newer than the store's. Kernel: `PG_dirty`.
  public static let dirty = FolioFlags(rawValue: 1 << 1)
  /// Touching this folio starts the next readahead window. Kernel: `PG_readahead`.
  public static let readahead = FolioFlags(rawValue: 1 << 2)
  /// Used since reclaim last looked. Kernel: `PG_referenced`.
  public static let referenced = FolioFlags(rawValue: 1 << 3)
  /// On the active list. Kernel: `PG_active`.
  public static let active = FolioFlags(rawValue: 1 << 4)
  /// Was evicted and came back while still in use. Kernel: `PG_workingset`.
  public static let workingset = FolioFlags(rawValue: 1 << 5)
  /// The store is reading the contents. Kernel: `PG_writeback`.
  public static let writeback = FolioFlags(rawValue: 1 << 6)
  /// The memory is damaged. Every frame has this for itself, those behind a folio's first too. Kernel: `PG_hwpoison`.
  public static let poisoned = FolioFlags(rawValue: 1 << 7)
  /// In an allocator free list. Kernel: `PG_buddy`.
  static let free = FolioFlags(rawValue: 1 << 8)
  /// On a list of ``LRULists``. Kernel: `PG_lru`.
  static let onList = FolioFlags(rawValue: 1 << 9)
  /// Private memory of one address space alone: no fork has shared it since it was made or last reused.
  /// Kernel: `PG_anon_exclusive`.
  public static let exclusive = FolioFlags(rawValue: 1 << 10)
  /// Private memory that may go without a trace until it is stored to again (MADV_FREE). Kernel: no `PG_swapbacked`.
  public static let lazilyFreed = FolioFlags(rawValue: 1 << 11)
  /// The file system keeps apart which blocks of a folio of several pages are dirty, so that a dirty one cannot be split.
  /// Kernel: `PG_private`.
  static let hasBlockState = FolioFlags(rawValue: 1 << 12)
  /// A device's own memory, mapped where it lies: on no list, in no free block, never dirty by itself.
  /// Kernel: `folio_is_zone_device`.
  package static let device = FolioFlags(rawValue: 1 << 13)
  /// The memory of some page of a folio of several is damaged. Kernel: `PG_has_hwpoisoned`.
  static let hasPoisoned = FolioFlags(rawValue: 1 << 14)

  /// Of a folio of several pages that is not up to date some pages have contents all the same: those whose frames say so.
  static let partlyUptodate = FolioFlags(rawValue: 1 << 15)
  /// What a frame of such a folio says of its own page.
  static let pageUptodate = FolioFlags(rawValue: 1 << 16)

  static let orderShift: UInt64 = 56
  static let orderMask: UInt64 = 0xff << orderShift
}
