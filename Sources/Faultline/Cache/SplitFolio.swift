/// Splitting a cached folio, so that a part of it can go. Kernel: `folio_split`, `split_huge_page_to_list_to_order`.
///
/// Laws
/// 1. The caller holds the folio's lock and exactly one reference. Afterwards both belong to the part that holds the folio's
///    first page; the other parts are unlocked and only their slots refer to them.
/// 2. Nothing happens to a folio that somebody else holds, that is being written, or that is dirty with the file system keeping
///    its dirty blocks apart: these notes cannot be divided.
/// 3. Every entry that maps a page of it goes first. Then its references are frozen, the parts get theirs and their slots,
///    and the original, which keeps the first part, gets its references back last: who still sees it in a slot of another
///    part cannot take it, and looks again.
/// 4. What the split needs is taken before anything changes.
///
/// Lock order: the folio's lock, tables (through the areas of the file), the cache's slot lock, the list lock.
enum FolioSplit {
  /// The parts of a folio of `order` at page `index`, in ascending order: around `page` as few as lead to that page alone,
  /// everywhere single pages when `page` is `nil`.
  static func parts(of index: UInt64, order: UInt64, around page: UInt64?) -> [(index: UInt64, order: UInt64)] {
    guard let page else { return (index..<index + (1 << order)).map { ($0, 0) } }
    var parts: [(index: UInt64, order: UInt64)] = []
    var start = index
    var order = order
    while order > 0 {
      order -= 1
      let middle = start + (1 << order)
      parts.append((page < middle ? middle : start, order))
      if page >= middle { start = middle }
    }
    parts.append((page, 0))
    return parts.sorted { $0.index < $1.index }
  }
}

extension FileNode {
  /// Splits a folio of several pages around page `page` of it where the rules have that, and else into single pages.
  ///
  /// - Returns: `false`, with nothing changed but perhaps entries gone, when somebody else holds the folio or there is no
  ///   memory.
  func split(_ folio: Folio, around page: UInt64?) -> Bool {
    let pages = folio.index..<folio.endIndex
    let order = folio.order
    guard order > 0, page.map(pages.contains) ?? true, folio.lies(in: cache), !folio.contains(.writeback),
      traits.isMemoryOnly || !folio.contains(.dirty) || !folio.contains(.hasBlockState),
      folio.references == 1 + folio.pageCount + folio.totalMapCount
    else { return false }
    let parts = FolioSplit.parts(
      of: pages.lowerBound, order: order, around: machine.rules.largeFolios.splitsAroundPage ? page : nil)
    guard let nodes = slots.nodesForSplit(order: order, into: parts) else { return false }
    unmap(pages, includingCopies: false)
    guard let others = cut(folio, into: parts, with: nodes) else { return false }
    let filePages = cache.filePages
    for other in others {
      // Parts wholly behind the end of the file have no place in the cache.
      if other.index >= filePages {
        other.remove(.dirty)
        remove(other)
      }
      other.unlock()
      other.put(to: machine.memory)
    }
    return true
  }

  /// The part of the split in which nobody else may see the folio.
  ///
  /// - Returns: the other parts, each locked with a reference; `nil` when the folio could not be frozen.
  private func cut(
    _ folio: Folio, into parts: [(index: UInt64, order: UInt64)], with nodes: [XArrayNode]
  ) -> [Folio]? {
    cache.pointee.slotLock.lock()
    defer { cache.pointee.slotLock.unlock() }
    let order = folio.order
    let index = folio.index
    guard folio.freeze(1 + folio.pageCount) else {
      slots.giveBack(nodes)
      return nil
    }
    let first = parts[0]
    let others = parts.dropFirst().map { part in
      folio.cutOff(from: part.index - index, order: part.order, references: 1 + (1 << part.order))
    }
    folio.shrink(to: first.order)
    #if DEBUG || ModelCheck
      if machine.switches.has(.unfreezesOriginalFirst) { folio.unfreeze(1 + folio.pageCount) }
    #endif
    slots.split(
      index, order: order,
      into: ([folio] + others).map {
        XArray.Piece(index: $0.index, order: $0.order, entry: UInt64(UInt(bitPattern: $0.head)))
      }, with: nodes)
    machine.lists.add(others, besides: folio)
    #if DEBUG || ModelCheck
      if machine.switches.has(.unfreezesOriginalFirst) { return others }
    #endif
    folio.unfreeze(1 + folio.pageCount)
    return others
  }
}
