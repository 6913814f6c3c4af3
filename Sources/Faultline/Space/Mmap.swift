extension AddressSpace {
  /// Maps `length` bytes of `file` from byte `offset`, or anonymous memory. mmap(2).
  ///
  /// - Parameters:
  ///   - address: where the program wants it; a wish unless `flags` has `fixed` or `fixedNoReplace`. `nil` for
  ///     anywhere.
  ///   - length: bytes, rounded up to pages.
  ///   - offset: bytes, a multiple of the page size.
  /// - Returns: the address of the first byte.
  /// - Throws: `EINVAL`, `EACCES`, `ENOMEM`, `EEXIST`, `EOVERFLOW` as the kernel does; `ENXIO` for a device that is
  ///   going.
  @discardableResult
  public func mmap(
    address: VirtualAddress? = nil, length: UInt64, protection: Protection, flags: MapFlags, file: OpenFile? = nil,
    offset: UInt64 = 0, by task: inout FaultTask
  ) throws(KernelError) -> VirtualAddress {
    guard length > 0 else { throw KernelError(.EINVAL, "mmap of no bytes") }
    guard length <= VirtualAddress.end.rawValue else { throw KernelError(.ENOMEM, "mmap of \(length) bytes") }
    guard offset & (PageSize.bytes - 1) == 0 else {
      throw KernelError(.EINVAL, "mmap at file offset \(offset), which is not a multiple of \(PageSize.bytes)")
    }
    let count = PageSize.pages(covering: length)
    let filePage = offset >> PageSize.shift
    guard filePage &+ count >= filePage, filePage &+ count <= 1 << 52 else {
      throw KernelError(.EOVERFLOW, "mmap past the largest file offset")
    }
    let file = flags.contains(.anonymous) ? nil : file
    let vmaFlags = try areaFlags(protection, flags, file)
    let shared = file == nil && vmaFlags.contains(.shared) ? sharedMemory(pages: count) : nil
    lockForChange()
    let pages: Range<UInt64>
    do throws(KernelError) {
      pages = try place(count, at: address, flags, file?.node.device?.alignment(ofFilePage: filePage))
      try file?.node.device?.permit(pages, showing: filePage)
      try evict(pages)
      let firstPage = file != nil ? filePage : shared != nil ? 0 : pages.lowerBound
      insert(VMAPointer.make(in: self, pages: pages, flags: vmaFlags, filePage: firstPage, file: file ?? shared))
    } catch {
      unlockAfterChange()
      throw error
    }
    unlockAfterChange()
    let populates = flags.contains(.populate) && !flags.contains(.nonblock)
    if populates || flags.contains(.locked) { populate(pages, by: &task) }
    return VirtualAddress(page: pages.lowerBound)
  }

  /// The nameless file behind shared anonymous memory. Kernel: `shmem_zero_setup`.
  private func sharedMemory(pages: UInt64) -> OpenFile {
    OpenFile(node: FileNode(machine: machine, traits: .tmpfs, size: pages << PageSize.shift), mode: .readWrite)
  }

  /// What the area is and may become. Kernel: `do_mmap`.
  private func areaFlags(
    _ protection: Protection, _ flags: MapFlags, _ file: OpenFile?
  ) throws(KernelError) -> VMAFlags {
    var result = VMAFlags(rawValue: protection.rawValue & 7).union([.mayRead, .mayWrite, .mayExecute])
    if flags.contains(.locked) { result.insert(.locked) }
    guard file != nil || flags.contains(.anonymous) else {
      throw KernelError(.EBADF, "a mapping of no file that is not anonymous")
    }
    if flags.contains(.hugeTLB) {
      if file == nil { throw KernelError(.ENOMEM, "a mapping of pages set aside for it, of which there are none") }
      throw KernelError(.EINVAL, "a mapping of a file cannot be of huge pages unless the file is")
    }
    switch flags.type {
    case MapFlags.droppable.rawValue where file == nil && machine.rules.hasDroppableMemory:
      result.formUnion([.droppable, .noReserve, .wipeOnFork, .dontDump])
    case MapFlags.shared.rawValue, MapFlags.sharedValidate.rawValue:
      try validate(flags, file)
      result.formUnion([.shared, .mayShare])
      guard let file else { break }
      guard !protection.contains(.write) || file.isWritable else {
        throw KernelError(.EACCES, "a writable shared mapping of a descriptor that cannot write")
      }
      if !file.isWritable { result.subtract([.shared, .mayWrite]) }
    case MapFlags.private.rawValue:
      guard file?.node.device == nil else {
        throw KernelError(.EINVAL, "a private mapping of a device, which has nowhere to keep copies; map it shared")
      }
    default:
      throw KernelError(.EINVAL, "mmap with type \(flags.type); it must be shared or private")
    }
    guard file?.isReadable != false else {
      throw KernelError(.EACCES, "a mapping of a descriptor that cannot read")
    }
    if flags.contains(.growsDown) {
      guard file == nil, result.isDisjoint(with: .shared) else {
        throw KernelError(.EINVAL, "only private memory without a file can grow down")
      }
      result.insert(.growsDown)
    }
    if flags.contains(.stack), machine.rules.stackForbidsHuge { result.insert(.noHugePage) }
    // Known before the type is looked at: also MAP_SHARED, which ignores flags that it does not know, keeps this one.
    if flags.contains(.sync) {
      guard file?.node.keepsMapSync != false else {
        throw KernelError(.EOPNOTSUPP, "MAP_SYNC on a file that is not on synchronous DAX memory")
      }
      result.insert(.sync)
    }
    if file?.node.isDirect == true {
      result.insert(.hugePage)
      result.remove(.locked)
    }
    if flags.contains(.noReserve) { result.insert(.noReserve) }
    if result.isDisjoint(with: [.shared, .noReserve]), result.contains(.write) { result.insert(.accounted) }
    return result
  }

  /// MAP_SHARED_VALIDATE promises that a flag which is accepted is kept. Kernel: `do_mmap`.
  private func validate(_ flags: MapFlags, _ file: OpenFile?) throws(KernelError) {
    guard flags.type == MapFlags.sharedValidate.rawValue else { return }
    guard let file else { throw KernelError(.EINVAL, "MAP_SHARED_VALIDATE of anonymous memory") }
    var known = MapFlags.validated.union(file.node.traits.knowsMapSync ? .sync : [])
    if !machine.rules.knowsAbove4GiB { known.remove(.above4GiB) }
    guard flags.isSubset(of: known) else {
      throw KernelError(.EOPNOTSUPP, "MAP_SHARED_VALIDATE with flags that the file does not know")
    }
  }

  /// Where the pages go.
  private func place(
    _ count: UInt64, at address: VirtualAddress?, _ flags: MapFlags, _ alignment: PageAlignment?
  ) throws(KernelError) -> Range<UInt64> {
    let limit = VirtualAddress.end.page
    if flags.contains(.fixed) || flags.contains(.fixedNoReplace) {
      guard let address, address.isPageAligned else {
        throw KernelError(.EINVAL, "a fixed mapping needs an address that is a multiple of \(PageSize.bytes)")
      }
      guard count <= limit, address.page <= limit - count else {
        throw KernelError(.ENOMEM, "a mapping past the end of the address space")
      }
      let pages = address.page..<address.page + count
      if flags.contains(.fixedNoReplace), isOccupied(pages) {
        throw KernelError(.EEXIST, "something is mapped there already")
      }
      return pages
    }
    if let address, address.page > 0, address.page <= limit, count <= limit - address.page {
      let pages = address.page..<address.page + count
      if !isOccupied(pages) { return pages }
    }
    return try freeRange(of: count, alignment)
  }

  private func isOccupied(_ pages: Range<UInt64>) -> Bool {
    guard let area = areas.firstArea(endingAfter: pages.lowerBound) else { return false }
    return area.start < pages.upperBound
  }

  /// A free range of `count` pages as high as one is found that leaves room to align it. Kernel:
  /// `dax_get_unmapped_area`.
  func freeRange(of count: UInt64, _ alignment: PageAlignment?) throws(KernelError) -> Range<UInt64> {
    guard let alignment else { return try freeRange(of: count) }
    let start = alignment.firstPage(from: try freeRange(of: count &+ alignment.pageCount).lowerBound)
    return start..<start + count
  }

  /// The highest free range of `count` pages below the stack's place. Kernel: `vm_unmapped_area`, top down.
  private func freeRange(of count: UInt64) throws(KernelError) -> Range<UInt64> {
    var end = Self.mapBase
    while end >= count + Self.lowestPage {
      guard let below = areas.lastArea(startingAtOrBefore: end - 1), below.end > end - count else {
        return end - count..<end
      }
      end = below.start
    }
    throw KernelError(.ENOMEM, "no free range of \(count) pages")
  }

  /// One past the highest page that a mapping without an address gets: room for the stack stays above.
  private static var mapBase: UInt64 { VirtualAddress.end.page - 1 << 15 }
  private static var lowestPage: UInt64 { 16 }

  // MARK: Areas, under the exclusive lock

  /// Puts a new area into the tree and its file's list, and merges it with neighbours that continue it.
  func insert(_ area: VMAPointer) {
    mark(area)
    makeRoomForGigantic(area)
    areas.insert(area)
    area.file?.node.add(area)
    mergeNeighbours(of: area.pages)
  }

  /// Takes whatever is mapped in `pages` out, and unmaps it.
  ///
  /// - Throws: `EINVAL` where an area cannot be split; then everything is still mapped.
  func evict(_ pages: Range<UInt64>) throws(KernelError) {
    try split(at: pages.lowerBound)
    try split(at: pages.upperBound)
    var removed = false
    while let area = areas.firstArea(endingAfter: pages.lowerBound), area.start < pages.upperBound {
      mark(area)
      areas.remove(startingAt: area.start)
      unmap(area.pages)
      area.file?.node.remove(area)
      retire(area)
      removed = true
    }
    if removed { freeTables(around: pages) }
  }

  /// Makes `page` a border between areas if one covers it. Kernel: `split_vma`.
  ///
  /// - Throws: `EINVAL` inside what one entry of a device maps. Kernel: `may_split`.
  func split(at page: UInt64) throws(KernelError) {
    guard let area = areas.area(covering: page), area.start < page else { return }
    if area.isDirect, let device = area.device { try device.permitBorder(at: page) }
    splitHuge(across: page)
    let upper = VMAPointer.make(
      in: self, pages: page..<area.end, flags: area.flags, filePage: area.filePage(of: page), file: area.file)
    upper.pointee.privateFamily.store(area.privateFamily, ordering: .relaxed)
    mark(area)
    mark(upper)
    changeBorders(of: area) {
      area.pointee.end.store(page, ordering: .relaxed)
      return upper
    }
    areas.insert(upper)
  }

  /// Moves a border while nobody walks the file's areas: a walker sees every page in one area, before or after.
  ///
  /// - Parameter change: moves it; gives the area that is new to the file, if one is.
  func changeBorders(of area: VMAPointer, removing gone: VMAPointer? = nil, _ change: () -> VMAPointer?) {
    guard let node = area.file?.node else {
      _ = change()
      return
    }
    node.changeAreas(removing: gone, change)
  }

  /// Joins areas that touch or lie in `pages` and continue each other. Kernel: `vma_merge`.
  func mergeNeighbours(of pages: Range<UInt64>) {
    guard
      var left = areas.lastArea(startingAtOrBefore: pages.lowerBound > 0 ? pages.lowerBound - 1 : 0)
        ?? areas.firstArea(endingAfter: pages.lowerBound)
    else { return }
    let changed = areas.area(covering: pages.lowerBound)?.privateFamily ?? 0
    while let right = areas.firstArea(startingAfter: left.start), right.start <= pages.upperBound {
      let neighbour = left.end == pages.lowerBound ? left : right
      let isRefused = !machine.rules.mergesIntoUncopiedAreas && changed != 0 && neighbour.privateFamily == 0
      guard !isRefused, left.isContinued(by: right) else {
        left = right
        continue
      }
      mark(left)
      mark(right)
      areas.remove(startingAt: right.start)
      let sticky = right.flags.subtracting(left.flags)
      if !sticky.isEmpty { left.setFlags(left.flags.union(sticky)) }
      if left.privateFamily == 0 { left.pointee.privateFamily.store(right.privateFamily, ordering: .relaxed) }
      changeBorders(of: left, removing: right) {
        left.pointee.end.store(right.end, ordering: .relaxed)
        return nil
      }
      retire(right)
    }
  }
}

extension FileNode {
  /// Whether a mapping with MAP_SYNC keeps its promise, or nobody looks whether it does. Kernel:
  /// `daxdev_mapping_supported`.
  fileprivate var keepsMapSync: Bool {
    !traits.knowsMapSync || device != nil || direct?.file.device.isSynchronous == true
  }
}

extension VMAPointer {
  /// Whether `next` starts where this area ends and maps what would come next, in the same way.
  func isContinued(by next: VMAPointer) -> Bool {
    guard end == next.start, flags.symmetricDifference(next.flags).isSubset(of: .sticky), file === next.file else {
      return false
    }
    if filePage(of: end) != next.pointee.filePage.load(ordering: .relaxed) { return false }
    // Two areas whose private copies began apart keep separate lists of them.
    return canShareFamily(with: next)
  }
}
