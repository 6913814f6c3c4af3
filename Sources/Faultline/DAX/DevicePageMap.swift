/// A device's pages as frames: their metadata is there from the start, and nothing allocates or frees them. Kernel: the
/// `struct page` array of a `ZONE_DEVICE` range, `struct dev_pagemap`.
///
/// Under files, a page belongs to nobody (no references), or is part of a folio of 2^0 or 2^9 pages that its owner has
/// claimed and holds one reference on. Any thread may use it; who claims and releases pages orders that himself, as a
/// file system's allocator does for its blocks. A device that is mapped as a whole has all its pages in folios of one
/// size from the start, each with one reference of the device's.
///
/// `@unchecked Sendable`: frames are shared words; everything else never changes.
public final class DevicePageMap: @unchecked Sendable {
  /// The order of a folio that one upper entry can map: 1 GiB. Kernel: `HPAGE_PUD_ORDER`.
  public static let giganticOrder: UInt64 = 18

  public let device: any DAXDevice
  /// log2 of the pages of each folio, where they are permanent because the device is mapped as a whole: 0, 9 or 18;
  /// `nil` where files claim folios and give them back. Kernel: `vmemmap_shift`.
  public let order: UInt64?
  private let frames: FramePointer
  /// Who maps the device as a whole: the address of a ``PageCache``, or 0.
  let owner = AtomicWord(0)
  /// How far its removal is: see ``Removal``.
  let removal = AtomicWord(0)
  /// Guards the node.
  private let nodeLock = SpinLock()
  private weak var heldNode: FileNode?

  init(device: any DAXDevice, order: UInt64?, frames: FramePointer) {
    self.device = device
    self.order = order
    self.frames = frames
    if let order { makeFolios(order) }
  }

  /// The node of a device that is mapped as a whole, unless it is ending.
  var node: FileNode? {
    get { nodeLock.withLock { heldNode } }
    set { nodeLock.withLock { heldNode = newValue } }
  }

  /// The frame of a page of the device.
  @inline(__always)
  func frame(ofPage page: UInt64) -> FramePointer { frames + Int(page) }

  /// The device's page that a frame of it is.
  @inline(__always)
  func page(of frame: FramePointer) -> UInt64 { UInt64(frame - frames) }

  /// Stores bytes in a page of the device: the one way in which a program's stores reach it.
  func store(_ bytes: UnsafeRawBufferPointer, in frame: FramePointer, at offset: UInt64) {
    device.store(bytes, at: page(of: frame) << PageSize.shift &+ offset)
  }

  /// The same for bytes that `body` makes from what is there.
  func change(
    _ there: UnsafeMutableRawBufferPointer, in frame: FramePointer, at offset: UInt64,
    _ body: (UnsafeMutableRawBufferPointer) -> Void
  ) {
    withUnsafeTemporaryAllocation(byteCount: there.count, alignment: 8) { bytes in
      bytes.copyMemory(from: UnsafeRawBufferPointer(there))
      body(bytes)
      store(UnsafeRawBufferPointer(bytes), in: frame, at: offset)
    }
  }

  /// Makes a folio of 2^`order` pages of the device that nobody uses, with its owner's reference.
  ///
  /// - Parameters:
  ///   - page: a multiple of 2^`order`; all pages lie on the device.
  ///   - owner: what the folio says of its place: the address of a ``PageCache``, 0 for none.
  ///   - index: its page there.
  /// - Returns: `nil` when somebody still uses one of the pages.
  func claim(_ page: UInt64, order: UInt64, for owner: UInt64, at index: UInt64) -> Folio? {
    let head = frame(ofPage: page)
    let count = 1 << Int(order)
    for tail in 0..<count {
      guard (head + tail).pointee.life.load(ordering: .acquiring) == 0,
        (head + tail).pointee.head.load(ordering: .relaxed) == 0
      else { return nil }
    }
    // That it was stored to once shows for ever, for nothing writes it back.
    let wasDirty = head.pointee.flags.load(ordering: .relaxed) & FolioFlags.dirty.rawValue
    let flags = FolioFlags([.device, .uptodate]).rawValue | wasDirty
    head.pointee.flags.store(order << FolioFlags.orderShift | flags, ordering: .relaxed)
    head.pointee.mapping.store(owner, ordering: .relaxed)
    head.pointee.index.store(index, ordering: .relaxed)
    for tail in 1..<max(1, count) {
      (head + tail).pointee.head.store(UInt64(UInt(bitPattern: head)), ordering: .relaxed)
    }
    let folio = Folio(head: head)
    if order != 0 { folio.clearCounts() }
    head.pointee.life.store(Frame.referenceUnit, ordering: .releasing)
    folio.note(1, #function)
    return folio
  }

  /// Makes all pages folios for good, each with the device's own reference. Kernel: `memmap_init_zone_device`.
  private func makeFolios(_ order: UInt64) {
    let count = 1 << Int(order)
    for first in stride(from: 0, to: Int(device.pageCount), by: count) {
      let head = frames + first
      head.pointee.flags.store(
        order << FolioFlags.orderShift | FolioFlags([.device, .uptodate]).rawValue, ordering: .relaxed)
      head.pointee.index.store(UInt64(first), ordering: .relaxed)
      for tail in 1..<max(1, count) {
        (head + tail).pointee.head.store(UInt64(UInt(bitPattern: head)), ordering: .relaxed)
      }
      head.pointee.life.store(Frame.referenceUnit, ordering: .releasing)
    }
  }

  /// Gives the owner's reference back. The pages are free for another claim when the last other reference is gone.
  func release(_ folio: Folio, to memory: PhysicalMemory) {
    folio.head.pointee.mapping.store(0, ordering: .relaxed)
    folio.put(to: memory)
  }

  /// The last reference on a folio of a device is gone: its pages belong to nobody.
  static func forget(_ folio: Folio) {
    for tail in 1..<max(1, Int(folio.pageCount)) { (folio.head + tail).pointee.head.store(0, ordering: .relaxed) }
    folio.head.pointee.flags.bitwiseAnd(FolioFlags.dirty.rawValue, ordering: .releasing)
  }

  /// Whether somebody beside its owner and its entries holds a page of the folio: a pin for input or output. Its blocks
  /// must not be given away then. Kernel: `dax_busy_page`.
  static func isBusy(_ folio: Folio) -> Bool {
    // References last: who waits for their change has seen the newest.
    let entries = folio.totalMapCount
    return folio.references > entries + 1
  }
}

extension Machine {
  /// The pages of a device among the machine's frames, numbered when the device is first seen.
  ///
  /// - Throws: `ENOSPC` when there are too many devices, or too many pages on them; `EBUSY` for one that is mapped as a
  ///   whole.
  public func pages(of device: any DAXDevice) throws(KernelError) -> DevicePageMap {
    try memory.pages(of: device, order: nil)
  }

  /// The pages of a device that is mapped as a whole: permanently in folios of 2^`order` pages, made at the first call.
  /// Costs 64 bytes of memory for each page. Kernel: `devm_memremap_pages` of device-dax.
  ///
  /// - Parameter order: 0, 9 or 18: the device's `align` of 4 KiB, 2 MiB or 1 GiB.
  /// - Throws: `EINVAL` for another order, or a device that is no multiple of such a folio; `EBUSY` when its pages are
  ///   in use in another way; `ENOSPC` when there are too many devices, or too many pages on them.
  public func pages(of device: any DAXDevice, order: UInt64) throws(KernelError) -> DevicePageMap {
    guard [0, PhysicalMemory.pmdOrder, DevicePageMap.giganticOrder].contains(order) else {
      throw KernelError(.EINVAL, "a device in folios of order \(order); no entry maps one: use 0, 9 or 18")
    }
    guard device.pageCount & (1 << order - 1) == 0 else {
      throw KernelError(
        .EINVAL, "a device of \(device.pageCount) pages in folios of \(1 << order): it must be a multiple of them")
    }
    return try memory.pages(of: device, order: order)
  }
}
