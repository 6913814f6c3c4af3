extension Machine {
  /// Pages of files that may be cached; `nil` for as many as there are frames. Files that live in memory do not count.
  ///
  /// A new limit takes effect with the next page that is read or written. Kernel: what a memory cgroup's `memory.max` does to
  /// the page cache.
  public var cacheLimit: UInt64? {
    get {
      let limit = cacheLimitWord.load(ordering: .relaxed)
      return limit == .max ? nil : limit
    }
    set { cacheLimitWord.store(newValue ?? .max, ordering: .relaxed) }
  }

  /// Pages that were given up to stay within the limit. Kernel: `pgsteal`.
  public var reclaimedPages: UInt64 { reclaimedWord.load(ordering: .relaxed) }

  /// Pages that were read again after they had been given up. Kernel: `workingset_refault_file`.
  public var refaultedPages: UInt64 { refaultsWord.load(ordering: .relaxed) }

  /// Gives up pages until `pages` more fit, as far as that can be done now. Kernel: `try_to_free_pages`, `shrink_lruvec`.
  ///
  /// The caller may hold folio locks: what is locked is passed over.
  func makeRoom(for pages: UInt64) {
    let limit = cacheLimitWord.load(ordering: .relaxed)
    guard limit != .max else { return }
    var rounds = 0
    while rounds < Self.reclaimRounds {
      // One look: other threads give up pages as well.
      let needed = lists.activePages &+ lists.inactivePages &+ pages
      guard needed > limit else { return }
      let excess = needed - limit
      if activeIsTooLong { shrinkActive(max(excess, Self.reclaimBatch)) }
      let (reclaimed, dirty) = shrinkInactive(max(excess, Self.reclaimBatch))
      // Only dirty pages are left at the tail: written now, they can go in the next round.
      if reclaimed == 0 { for file in dirty { file.writeBackForReclaim() } }
      rounds += 1
    }
  }

  /// Pages looked at in one go. Kernel: `SWAP_CLUSTER_MAX`.
  private static var reclaimBatch: UInt64 { 32 }
  /// Rounds before a caller goes on over the limit. Kernel: `DEF_PRIORITY`.
  private static var reclaimRounds: Int { 12 }

  /// Kernel: `inactive_is_low`.
  private var activeIsTooLong: Bool {
    let inactive = lists.inactivePages
    let gigabytes = (inactive + lists.activePages) >> 18
    let ratio = gigabytes == 0 ? 1 : UInt64((Double(10 * gigabytes)).squareRoot())
    return inactive * ratio < lists.activePages
  }

  /// Moves folios from the tail of the active list to the inactive one; used program text goes round once more.
  /// Kernel: `shrink_active_list`.
  private func shrinkActive(_ pages: UInt64) {
    var left = pages
    while left > 0, let reference = lists.isolateTail(of: .active) {
      let folio = reference.folio
      left -= min(left, folio.pageCount)
      let use = use(of: folio)
      if use.entries > 0, use.isExecutable {
        lists.add(folio)
      } else {
        folio.remove(.active)
        folio.insert(.workingset)
        lists.add(folio)
      }
    }
  }

  /// Looks at folios from the tail of the inactive list. Kernel: `shrink_inactive_list`, `shrink_folio_list`.
  ///
  /// - Returns: the pages that went, and the files whose pages stayed because they are dirty.
  private func shrinkInactive(_ pages: UInt64) -> (reclaimed: UInt64, dirty: [FileNode]) {
    var left = min(pages, lists.inactivePages)
    var reclaimed: UInt64 = 0
    var dirty: [FileNode] = []
    while left > 0, let reference = lists.isolateTail(of: .inactive) {
      let folio = reference.folio
      left -= min(left, folio.pageCount)
      switch reclaim(folio, ignoringUse: false) {
      case .reclaimed:
        reclaimed += folio.pageCount
      case .kept:
        lists.add(folio)
      case .used:
        folio.insert(.active)
        lists.advance(by: folio.pageCount)
        lists.add(folio)
      case .dirty(let file):
        if !dirty.contains(where: { $0 === file }) { dirty.append(file) }
        lists.add(folio)
      }
    }
    return (reclaimed, dirty)
  }
}
