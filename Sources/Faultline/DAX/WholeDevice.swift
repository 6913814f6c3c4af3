/// A device that is mapped as a whole, without a file system: byte for byte, in pieces of one size. Kernel: device-dax,
/// `drivers/dax/device.c`.
///
/// Laws
/// 1. The pieces are the device's folios: 4 KiB, 2 MiB or 1 GiB, set once, when its pages are numbered. One entry maps
///    one piece, and no entry maps less or more.
/// 2. So an area begins and ends at a piece's border and is never cut inside one; it is shared, for there is nowhere to
///    copy to. What mremap(2) moves elsewhere all the same ends its accesses in a signal.
/// 3. The place of a page in the device is its place in the "file". Nothing is allocated, made durable or written back:
///    entries let stores through from the start.
/// 4. A folio has one reference of the device's own, so that one which nobody maps or holds is not free, and pins for
///    as long as the holder likes are granted: no truncation waits for them.
///
/// Lock order: as in this folder; a fault holds the content lock shared, so that whoever holds it exclusively knows of
/// every entry.
extension FileNode {
  /// A device as a whole. One node stands for it, as one inode does however often it is opened.
  ///
  /// - Parameter device: from ``Machine/pages(of:order:)`` of the same machine.
  /// - Throws: `EINVAL` for pages that files claim, `EBUSY` while there is another node of the device, `ENXIO` once it
  ///   is going.
  public convenience init(machine: Machine, device: DevicePageMap) throws(KernelError) {
    guard device.order != nil else {
      throw KernelError(.EINVAL, "a device whose pages belong to a file system; number them with an order first")
    }
    self.init(machine, .device, nil, size: device.device.byteCount, direct: nil, device: device)
    guard device.enter(self) else {
      throw KernelError(.EBUSY, "the device has a node already; open that one again")
    }
    guard device.isStaying else {
      // Before this node's end looks: the frames may be nobody's by then.
      device.owner.store(0, ordering: .releasing)
      throw KernelError.deviceIsGone
    }
  }

  /// Whether it is a device as a whole. Kernel: device-dax.
  public var isDevice: Bool { device != nil }

  /// Refuses what only files can do.
  func requireFile(_ call: String, else errno: Errno = .EINVAL) throws(KernelError) {
    guard device == nil else {
      throw KernelError(
        errno, "\(call) of a device that is mapped as a whole: its bytes are reached through mappings only")
    }
  }
}

extension DevicePageMap {
  /// Makes a node the one that maps the device; `false` when another does.
  fileprivate func enter(_ node: FileNode) -> Bool {
    let isFirst = owner.compareExchange(
      expected: 0, desired: UInt64(UInt(bitPattern: node.cache)), successOrdering: .sequentiallyConsistent,
      failureOrdering: .relaxed
    ).exchanged
    if isFirst { self.node = node }
    return isFirst
  }

  /// Nobody has the node any more: folios that it has shown say so no longer, though some may still be held.
  func leave(_ cache: PageCachePointer) {
    guard owner.load(ordering: .acquiring) == UInt64(UInt(bitPattern: cache)) else { return }
    // Of a device that is gone there are no folios.
    if removal.load(ordering: .acquiring) != Removal.gone.rawValue {
      forEachPermanentFolio { $0.head.pointee.mapping.store(0, ordering: .relaxed) }
    }
    owner.store(0, ordering: .releasing)
  }

  /// Calls `body` with each folio of a device that is mapped as a whole, in order.
  func forEachPermanentFolio(_ body: (Folio) -> Void) {
    guard let order else { return }
    for page in stride(from: 0, to: device.pageCount, by: 1 << Int(order)) { body(Folio(head: frame(ofPage: page))) }
  }

  // MARK: Areas

  private var mask: UInt64 { (1 << (order ?? 0)) - 1 }

  /// Where an area that begins at a page of the device may begin.
  func alignment(ofFilePage filePage: UInt64) -> PageAlignment {
    PageAlignment(pageCount: mask + 1, remainder: filePage & mask)
  }

  /// Refuses an area that cuts a folio. Kernel: `check_vma`; it does not look at the offset, and faults then.
  func permit(_ pages: Range<UInt64>, showing filePage: UInt64) throws(KernelError) {
    guard isStaying else { throw KernelError.deviceIsGone }
    guard (pages.lowerBound | pages.upperBound | filePage) & mask == 0 else {
      throw KernelError(
        .EINVAL,
        "a mapping of a device in pieces of \(mask + 1) pages: address, length and offset must be multiples of that")
    }
  }

  /// Refuses a border of areas inside what one entry maps. Kernel: `dev_dax_may_split`.
  func permitBorder(at page: UInt64) throws(KernelError) {
    guard page & mask == 0 else {
      throw KernelError(
        .EINVAL, "a part of what one entry of a device maps; begin and end at multiples of \(mask + 1) pages")
    }
  }

  /// The folio that `page` of an area shows, which says from now on whose it is; `nil` when the area cuts or shifts
  /// folios, or goes past the device's end. Kernel: `dax_pgoff_to_phys`, `dax_set_mapping`.
  func folio(showing page: UInt64, of area: VMAPointer) -> Folio? {
    let first = area.filePage(of: page & ~mask)
    guard (area.start | area.end | first) & mask == 0, first < device.pageCount else { return nil }
    let folio = Folio(head: frame(ofPage: first))
    folio.head.pointee.mapping.store(UInt64(UInt(bitPattern: area.pointee.cache)), ordering: .relaxed)
    return folio
  }
}

/// Where an area may begin, so that what it shows lies alike in it and in its device.
struct PageAlignment {
  /// A power of two.
  let pageCount: UInt64
  /// What the first page leaves over.
  let remainder: UInt64

  /// The first such page from `page` on.
  func firstPage(from page: UInt64) -> UInt64 { page &+ ((remainder &- page) & (pageCount - 1)) }
}
