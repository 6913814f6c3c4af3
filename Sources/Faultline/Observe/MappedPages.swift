/// # Observe
///
/// What can be seen of the engine from outside: the pages and areas of an address space, the residency of a file.
///
/// Laws
/// 1. Looking changes nothing: no accessed bit, no reference, no counter, no readahead.
/// 2. What is told was true under the locks that were held for it; the next moment it may not be.
///
/// Lock order: as `Space/` and `Tables/`. This folder calls every other one; nothing calls it.

/// One present page of an address space. Kernel: `/proc/PID/pagemap`, with what `smaps` adds to it.
public struct MappedPage: Hashable, Sendable {
  /// Where the contents belong.
  public enum Kind: Hashable, Sendable {
    /// A page of a file's cache.
    case file
    /// Private memory of the program: never a file's, or a copy of a file's page.
    case anonymous
    /// The page of zeroes that stands for private memory that was never written.
    case zero
  }

  public let kind: Kind
  /// Whether one entry maps the page and all others of its folio, 2 MiB or 1 GiB.
  public let isHuge: Bool
  /// Whether it shows a file with DAX: a page of the device.
  public let isDirect: Bool
  /// Whether the entry lets the program read.
  public let isReadable: Bool
  /// Whether the program wrote through this entry or the page differs from its store.
  public let isDirty: Bool
  /// Whether it is private memory that may go until it is stored to again (MADV_FREE).
  public let isLazilyFreed: Bool
  /// Whether the page was used through this entry, or elsewhere since reclaim last looked.
  public let isReferenced: Bool
  /// How many entries of all address spaces map the page; 0 for the zero page.
  public let mapCount: UInt64
  /// The size of the folio that holds the page, in pages.
  public let folioPages: UInt64
  /// The page's position in it.
  public let positionInFolio: UInt64
}

/// One area of an address space. Kernel: a line of `/proc/PID/maps`.
public struct MappedArea: Hashable, Sendable {
  /// Page numbers of the address space.
  public let pages: Range<UInt64>
  public let flags: VMAFlags
  /// The file's page at the area's start; 0 for anonymous memory.
  public let filePage: UInt64
  /// Whether the kernel would try 2 MiB pages here. Kernel: `THPeligible` of `smaps`.
  public let isHugeEligible: Bool
}

extension AddressSpace {
  /// Calls `body` with each present page in `pages`, in address order, and with its 4096 bytes where the machine has
  /// any.
  ///
  /// `body` runs under the lock of a page table: it must not call the engine, and the bytes are its only until it
  /// returns.
  public func forEachMappedPage(
    in pages: Range<UInt64>, _ body: (_ page: UInt64, MappedPage, _ contents: UnsafeRawBufferPointer?) -> Void
  ) {
    lock.lockShared()
    defer { lock.unlockShared() }
    table.forEachEntry(in: pages) { page, pointer in
      let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .acquiring))
      guard entry.isPresent else { return }
      for page in (page..<page + entry.pageCount).clamped(to: pages) {
        let frame = machine.memory.frame(entry.single(page).frame)
        let contents = machine.memory.contents(of: frame)
        body(
          page, MappedPage(entry, frame: frame),
          contents.map { UnsafeRawBufferPointer(start: $0, count: Int(PageSize.bytes)) })
      }
    }
  }

  /// Calls `body` with each page in `pages` that has a marker instead of a page: a guard, or memory that was lost.
  public func forEachMarkedPage(in pages: Range<UInt64>, _ body: (_ page: UInt64) -> Void) {
    lock.lockShared()
    defer { lock.unlockShared() }
    table.forEachEntry(in: pages) { page, pointer in
      if !PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed)).isPresent { body(page) }
    }
  }

  /// The areas that touch `pages`, in address order, each with all its pages.
  public func mappedAreas(in pages: Range<UInt64>) -> [MappedArea] {
    lock.lockShared()
    defer { lock.unlockShared() }
    var found: [MappedArea] = []
    var next = areas.firstArea(endingAfter: pages.lowerBound)
    while let area = next, area.start < pages.upperBound {
      let filePage = area.pointee.file == nil ? 0 : area.filePage(of: area.start)
      found.append(
        MappedArea(
          pages: area.pages, flags: area.flags, filePage: filePage, isHugeEligible: area.isHugeEligible(machine.rules)))
      next = areas.firstArea(startingAfter: area.start)
    }
    return found
  }
}

extension MappedPage {
  /// The entry's table is locked, so its reference on the folio holds.
  init(_ entry: PageTableEntry, frame: FramePointer) {
    let folio = Folio(of: frame)
    if entry.isSpecial {
      kind = .zero
    } else {
      kind = folio.isPrivate ? .anonymous : .file
    }
    isHuge = entry.isHuge
    isDirect = !entry.isSpecial && folio.contains(.device)
    isReadable = entry.rawValue & PageTableEntry.presentBit != 0
    isDirty = entry.isDirty || folio.contains(.dirty)
    isLazilyFreed = folio.isPrivate && folio.contains(.lazilyFreed) && !isDirty
    isReferenced = entry.isAccessed || folio.contains(.referenced)
    mapCount = entry.isSpecial ? 0 : folio.mapCount(of: frame)
    folioPages = folio.pageCount
    positionInFolio = UInt64(frame - folio.head)
  }
}

extension VMAPointer {
  /// Kernel: `thp_vma_allowable_orders` with `TVA_SMAPS`.
  fileprivate func isHugeEligible(_ rules: KernelRules) -> Bool {
    guard !flags.contains(.noHugePage) else { return false }
    guard !isDirect else { return false }
    if let traits, !traits.isMemoryOnly {
      return traits.servesHugeFaults && rules.hugePages.allowsPrivate(flags) && hasRoomForTwo
    }
    let last = (end & ~(PageSize.entriesPerTable - 1)) - 1
    guard end >= PageSize.entriesPerTable, canMapHuge(around: last) else { return false }
    return traits.map { $0.fillsHoles == .hugePages } ?? rules.hugePages.allowsPrivate(flags)
  }

  /// Whether an aligned pair of pages of the file lies aligned in the area: that is large enough for a folio of several
  /// pages.
  private var hasRoomForTwo: Bool {
    let first = pointee.filePage.load(ordering: .relaxed)
    return (start &- first) & 1 == 0 && end & ~1 >= start + 2
  }
}

extension FileNode {
  /// Whether page `index` is in the cache with the file's contents. Kernel: mincore(2).
  public func isResident(_ index: UInt64) -> Bool { lookUp(index)?.folio.contains(.uptodate) ?? false }
}
