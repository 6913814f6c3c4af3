/// The flags of mremap(2), with Linux's numbers.
public struct RemapFlags: OptionSet, Hashable, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  public static let mayMove = RemapFlags(rawValue: 1)
  public static let fixed = RemapFlags(rawValue: 2)
  public static let dontUnmap = RemapFlags(rawValue: 4)
}

extension AddressSpace {
  /// Shrinks, grows, moves or doubles a mapping. mremap(2). What a locked mapping grows by is brought in.
  ///
  /// - Parameters:
  ///   - length: bytes of the old range; 0 doubles a shared mapping.
  ///   - newLength: bytes of the new one.
  ///   - newAddress: where it goes with `fixed`.
  /// - Returns: where the mapping is now.
  /// - Throws: `EINVAL`, `EFAULT` (not mapped), `ENOMEM` as the kernel does.
  @discardableResult
  public func mremap(
    _ address: VirtualAddress, length: UInt64, newLength: UInt64, flags: RemapFlags = .mayMove,
    newAddress: VirtualAddress? = nil, by task: inout FaultTask
  ) throws(KernelError) -> VirtualAddress {
    let request = try RemapRequest(address, length, newLength, flags, newAddress)
    let place = try remap(request)
    let first = place.page + UInt64(request.old.count)
    let grown = first..<max(first, place.page + request.newCount)
    if !grown.isEmpty, isLocked(grown.lowerBound) { populate(grown, by: &task) }
    return place
  }

  private func isLocked(_ page: UInt64) -> Bool {
    lock.lockShared()
    defer { lock.unlockShared() }
    return areas.area(covering: page)?.flags.contains(.locked) ?? false
  }

  private func remap(_ request: RemapRequest) throws(KernelError) -> VirtualAddress {
    let flags = request.flags
    lockForChange()
    defer { unlockAfterChange() }
    guard let area = areas.area(covering: request.old.lowerBound) else {
      throw KernelError(.EFAULT, "mremap of a range that is not mapped")
    }
    if request.old.isEmpty { return try duplicate(area, request) }
    let areaEnd = area.end
    // The kernels that move several areas look before they unmap anything; the others find out when it is done.
    if !machine.rules.remapsSeveralAreas { try clearWay(request) }
    guard request.old.lowerBound + request.keptCount <= areaEnd || !request.mapsAnew || canMoveSeveralAreas(request)
    else {
      throw KernelError(.EFAULT, "mremap of a range of several areas")
    }
    if let target = request.target { try evict(target..<target + request.newCount) }
    if request.target == nil, !flags.contains(.dontUnmap) {
      if let place = try resizeInPlace(area, request) { return place }
      guard flags.contains(.mayMove) else { throw KernelError(.ENOMEM, "no room to grow in place") }
    }
    return try move(request)
  }

  /// Unmaps where the range goes, and what of it does not go along. Kernel: `mremap_to`.
  private func clearWay(_ request: RemapRequest) throws(KernelError) {
    guard let target = request.target else { return }
    try evict(target..<target + request.newCount)
    let newEnd = request.old.lowerBound + request.newCount
    if newEnd < request.old.upperBound { try evict(newEnd..<request.old.upperBound) }
  }

  /// Shrinking, no change, and growing into free room. `nil`: it must move.
  private func resizeInPlace(_ area: VMAPointer, _ request: RemapRequest) throws(KernelError) -> VirtualAddress? {
    let old = request.old
    let newEnd = old.lowerBound + request.newCount
    if newEnd <= old.upperBound {
      if newEnd < old.upperBound { try evict(newEnd..<old.upperBound) }
      return VirtualAddress(page: old.lowerBound)
    }
    let next = areas.firstArea(startingAfter: area.start)
    guard old.upperBound == area.end, (next?.start ?? VirtualAddress.end.page) >= newEnd,
      newEnd <= VirtualAddress.end.page
    else { return nil }
    mark(area)
    changeBorders(of: area) {
      area.pointee.end.store(newEnd, ordering: .relaxed)
      return nil
    }
    makeRoomForGigantic(area)
    mergeNeighbours(of: area.pages)
    return VirtualAddress(page: old.lowerBound)
  }

  private func canMoveSeveralAreas(_ request: RemapRequest) -> Bool {
    machine.rules.remapsSeveralAreas && request.isPlainMove
  }

  /// MREMAP with an old length of 0: a second mapping of the same file pages.
  private func duplicate(_ area: VMAPointer, _ request: RemapRequest) throws(KernelError) -> VirtualAddress {
    guard !area.flags.isDisjoint(with: [.shared, .mayShare]) else {
      throw KernelError(.EINVAL, "a private mapping cannot be doubled")
    }
    guard request.flags.contains(.mayMove) else { throw KernelError(.ENOMEM, "a second mapping needs MREMAP_MAYMOVE") }
    let filePage = area.filePage(of: request.old.lowerBound)
    let flags = area.flags
    let file = area.file
    let start = try destination(of: request, from: area)
    let pages = start..<start + request.newCount
    try evict(pages)
    insert(VMAPointer.make(in: self, pages: pages, flags: flags, filePage: filePage, file: file))
    return VirtualAddress(page: start)
  }

  private func destination(of request: RemapRequest, from area: VMAPointer) throws(KernelError) -> UInt64 {
    if let target = request.target { return target }
    let alignment = area.device?.alignment(ofFilePage: area.filePage(of: request.old.lowerBound))
    return try freeRange(of: request.newCount, alignment).lowerBound
  }

  /// Moves the areas of the old range, with their entries. Kernel: `move_vma`, `move_page_tables`.
  private func move(_ request: RemapRequest) throws(KernelError) -> VirtualAddress {
    var old = request.old
    if request.newCount < UInt64(old.count) {
      try evict(old.lowerBound + request.newCount..<old.upperBound)
      old = old.lowerBound..<old.lowerBound + request.newCount
    }
    guard let area = areas.area(covering: old.lowerBound) else {
      throw KernelError(.EFAULT, "mremap of a range that is not mapped")
    }
    let isOneArea = old.upperBound <= area.end
    let start = try destination(of: request, from: area)
    try split(at: old.lowerBound)
    try split(at: old.upperBound)
    var sources: [VMAPointer] = []
    forEachArea(in: old) { sources.append($0) }
    for source in sources {
      let offset = source.start - old.lowerBound
      let grown = isOneArea ? request.newCount : UInt64(source.pages.count)
      try move(source, to: start + offset..<start + offset + grown, keeping: request.flags.contains(.dontUnmap))
    }
    mergeNeighbours(of: start..<start + request.newCount)
    return VirtualAddress(page: start)
  }

  private func move(_ source: VMAPointer, to pages: Range<UInt64>, keeping: Bool) throws(KernelError) {
    let target = VMAPointer.make(
      in: self, pages: pages, flags: source.flags, filePage: source.filePage(of: source.start), file: source.file)
    target.pointee.privateFamily.store(source.privateFamily, ordering: .relaxed)
    mark(source)
    mark(target)
    makeRoomForGigantic(target)
    areas.insert(target)
    target.file?.node.add(target)
    let shift = pages.lowerBound &- source.start
    if shift & (PageSize.entriesPerTable - 1) != 0 { splitAllHuge(in: source.pages) }
    if shift & (PageTable.giganticPageCount - 1) != 0 { dropGigantic(in: source.pages) }
    var moved: [(page: UInt64, entry: PageTableEntry)] = []
    table.forEachEntry(in: source.pages) { page, pointer in
      let entry = PageTableEntry(rawValue: pointer.pointee.exchange(0, ordering: .acquiringAndReleasing))
      if entry.isHuge, isPrivate(entry) { freeDeposit(atPage: page) }
      uncount(entry)
      moved.append((pages.lowerBound + (page - source.start), entry))
    }
    var isComplete = true
    for (page, entry) in moved where !enter(entry, at: page) {
      count(entry)
      giveUp(entry)
      isComplete = false
    }
    if keeping {
      source.pointee.privateFamily.store(0, ordering: .relaxed)
      source.setFlags(source.flags.subtracting(.locked))
    } else {
      try evict(source.pages)
    }
    // What could not be entered again is the file's or is lost, as under the kernel's memory pressure.
    guard isComplete else { throw KernelError(.ENOMEM, "no memory for the page tables of the new range") }
  }

  private func uncount(_ entry: PageTableEntry) {
    guard entry.isPresent, !entry.isSpecial else { return }
    let isPrivate = Folio(of: machine.memory.frame(entry.frame)).isPrivate
    if isPrivate { uncountPrivatePages(entry.pageCount) } else { uncountFilePages(entry.pageCount) }
    if entry.isHuge, !isPrivate { uncountHugeFilePages(entry.pageCount) }
  }
}

/// What was asked of mremap, checked as far as the arguments alone tell. Kernel: `check_mremap_params`.
private struct RemapRequest {
  let old: Range<UInt64>
  let newCount: UInt64
  let flags: RemapFlags
  /// First page of the new range with MREMAP_FIXED.
  let target: UInt64?

  /// Whether there will be pages mapped where none were. Kernel: `vrm_will_map_new`.
  var mapsAnew: Bool { target != nil || flags.contains(.dontUnmap) || newCount > UInt64(old.count) }

  /// Pages of the old range that are left when its tail has been cut off, which comes before the move.
  var keptCount: UInt64 { min(UInt64(old.count), newCount) }

  /// Whether the whole range goes elsewhere as it is.
  var isPlainMove: Bool { target != nil && UInt64(old.count) == newCount && !flags.contains(.dontUnmap) }

  init(
    _ address: VirtualAddress, _ length: UInt64, _ newLength: UInt64, _ flags: RemapFlags, _ newAddress: VirtualAddress?
  ) throws(KernelError) {
    guard flags.subtracting([.mayMove, .fixed, .dontUnmap]).isEmpty else {
      throw KernelError(.EINVAL, "mremap with an unknown flag")
    }
    guard flags.contains(.mayMove) || flags.isDisjoint(with: [.fixed, .dontUnmap]) else {
      throw KernelError(.EINVAL, "MREMAP_FIXED and MREMAP_DONTUNMAP need MREMAP_MAYMOVE")
    }
    guard newLength > 0, newLength <= VirtualAddress.end.rawValue, length <= VirtualAddress.end.rawValue else {
      throw KernelError(.EINVAL, "mremap to \(newLength) bytes")
    }
    old = try AddressSpace.pageRange(address, length, call: "mremap")
    newCount = PageSize.pages(covering: newLength)
    guard !flags.contains(.dontUnmap) || UInt64(old.count) == newCount else {
      throw KernelError(.EINVAL, "MREMAP_DONTUNMAP cannot change the length")
    }
    self.flags = flags
    guard flags.contains(.fixed) else {
      target = nil
      return
    }
    guard let newAddress, newAddress.isPageAligned else {
      throw KernelError(.EINVAL, "MREMAP_FIXED needs an address that is a multiple of \(PageSize.bytes)")
    }
    let limit = VirtualAddress.end.page
    guard newCount <= limit, newAddress.page <= limit - newCount else {
      throw KernelError(.EINVAL, "mremap past the end of the address space")
    }
    let new = newAddress.page..<newAddress.page + newCount
    guard !new.overlaps(old) else { throw KernelError(.EINVAL, "mremap onto itself") }
    target = newAddress.page
  }
}
