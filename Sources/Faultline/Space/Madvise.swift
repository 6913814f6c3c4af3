extension AddressSpace {
  /// Says how a range will be used. madvise(2).
  ///
  /// - Throws: `EINVAL` for an unaligned address, `ENOMEM` when part of the range is not mapped (the rest is still
  ///   advised), `EFAULT` when populating ends in a signal.
  public func madvise(
    _ address: VirtualAddress, length: UInt64, _ advice: Advice, by task: inout FaultTask
  ) throws(KernelError) {
    let pages = try Self.pageRange(address, length, call: "madvise")
    guard !pages.isEmpty else { return }
    switch advice {
    case .normal: try change(pages, adding: [], removing: [.randomRead, .sequentialRead])
    case .random: try change(pages, adding: .randomRead, removing: .sequentialRead)
    case .sequential: try change(pages, adding: .sequentialRead, removing: .randomRead)
    case .willNeed: try readAhead(pages)
    case .dontNeed: try discard(pages, alsoLocked: false)
    case .dontNeedLocked: try discard(pages, alsoLocked: true)
    case .free: try free(pages)
    case .remove: try remove(pages)
    case .dontFork: try change(pages, adding: .dontCopy, removing: [])
    case .doFork: try change(pages, adding: [], removing: .dontCopy)
    case .wipeOnFork: try wipeOnFork(pages)
    case .keepOnFork: try change(pages, adding: [], removing: .wipeOnFork)
    case .cold: try cool(pages)
    case .pageOut: try pageOut(pages)
    case .guardInstall: try installGuards(pages)
    case .guardRemove: try removeGuards(pages)
    case .hugePage: try change(pages, adding: .hugePage, removing: .noHugePage)
    case .noHugePage: try change(pages, adding: .noHugePage, removing: .hugePage)
    case .collapse: try collapse(pages)
    case .dontDump: try change(pages, adding: .dontDump, removing: [])
    case .doDump: try change(pages, adding: [], removing: .dontDump)
    case .populateRead: try populate(pages, .read, by: &task)
    case .populateWrite: try populate(pages, .write, by: &task)
    }
  }

  /// Changes the flags of the areas of a range, in order. Where nothing changes, nothing is split or joined either.
  /// Kernel: `madvise_walk_vmas`, `madvise_vma_behavior`.
  ///
  /// - Parameter refusal: an error that ends the call at an area; those before it are changed.
  private func change(
    _ pages: Range<UInt64>, adding: VMAFlags, removing: VMAFlags, refusal: (VMAPointer) -> KernelError? = { _ in nil }
  ) throws(KernelError) {
    lockForChange()
    defer { unlockAfterChange() }
    var next = pages.lowerBound
    var hasGap = false
    while next < pages.upperBound, let area = areas.firstArea(endingAfter: next), area.start < pages.upperBound {
      if area.start > next { hasGap = true }
      if let error = refusal(area) { throw error }
      let part = max(next, area.start)..<min(area.end, pages.upperBound)
      let flags = area.flags.subtracting(removing).union(adding)
      if flags != area.flags {
        try split(at: part.lowerBound)
        try split(at: part.upperBound)
        setFlags(flags, ofAreaCovering: part.lowerBound)
        mergeNeighbours(of: part)
      }
      next = part.upperBound
    }
    if hasGap || next < pages.upperBound { throw Self.gap }
  }

  /// MADV_WIPEONFORK: for private memory without a file.
  private func wipeOnFork(_ pages: Range<UInt64>) throws(KernelError) {
    try change(pages, adding: .wipeOnFork, removing: []) { area in
      area.pointee.cache == nil ? nil : KernelError(.EINVAL, "MADV_WIPEONFORK of memory that shows a file")
    }
  }

  /// MADV_WILLNEED: one bounded read per area, the rest is up to later calls. Kernel: `madvise_willneed`.
  private func readAhead(_ pages: Range<UInt64>) throws(KernelError) {
    try forEachPart(of: pages) { area, part in
      if let file = area.file, !file.node.traits.isMemoryOnly, !file.node.isDirect {
        Readahead(file: file).force(at: area.filePage(of: part.lowerBound), count: UInt64(part.count))
      }
      return nil
    }
  }

  /// Calls `body` with each area that `pages` touches; says whether some page lies in none.
  @discardableResult
  func forEachArea(in pages: Range<UInt64>, _ body: (VMAPointer) -> Void) -> Bool {
    var next = pages.lowerBound
    var hasGap = false
    while next < pages.upperBound {
      guard let area = areas.firstArea(endingAfter: next), area.start < pages.upperBound else { return true }
      if area.start > next { hasGap = true }
      next = area.end
      body(area)
    }
    return hasGap
  }

  static var gap: KernelError { KernelError(.ENOMEM, "part of the range is not mapped") }
}
