/// Readahead windows: how large the next one is and where it starts. Kernel: `mm/readahead.c`.
///
/// Pure arithmetic over a descriptor's state and the slots of the cache; ``Readahead/submit(_:order:)`` in the next file
/// does the reading.
struct Readahead {
  let file: OpenFile
  /// The number that what is read carries, so that a fault which does not wait for it can tell it is on its way; 0 for reads
  /// that are waited for. Numbers grow, and reads arrive in their order.
  var number: UInt64 = 0

  var node: FileNode { file.node }
  var state: ReadaheadPointer { file.readahead }
  var rules: KernelRules.ReadaheadRules { file.node.machine.rules.readahead }

  // MARK: A page is missing

  /// Reads because page `index` is missing and `requested` pages from there are wanted. Kernel: `page_cache_sync_ra`.
  func readMissing(at index: UInt64, requested: UInt64) {
    node.machine.events.note(EngineEvent(.readMissing, node, page: index, count: requested, state))
    guard state.maximum != 0 else { return force(at: index, count: 1) }
    guard file.readsRandomly.load(ordering: .relaxed) == 0 else { return force(at: index, count: requested) }
    let maximum = windowLimit(requested: requested)
    let previous = state.pointee.previousPosition.load(ordering: .relaxed) >> PageSize.shift
    if index == 0 || requested > maximum || index &- previous <= 1 {
      return submitFirst(at: index, requested: requested, maximum: maximum)
    }
    let miss = previousMiss(before: index, within: maximum)
    var history = index &- miss &- 1
    guard history > requested else { return submitPages(at: index, count: requested, asyncSize: 0) }
    if miss == .max { history &*= 2 }
    state.window = ReadaheadWindow(start: index, size: min(history &+ requested, maximum), asyncSize: 1)
    state.pointee.order.store(0, ordering: .relaxed)
    submit(state.window, order: 0)
  }

  private func submitFirst(at index: UInt64, requested: UInt64, maximum: UInt64) {
    let size = Self.initialSize(requested, maximum: maximum)
    let rest = rules.mergesSelfHit ? size : size >> 1
    var window = ReadaheadWindow(
      start: index, size: size, asyncSize: size > requested ? size - requested : rest)
    if rules.mergesSelfHit, window.size == window.asyncSize {
      let next = Self.nextSize(window.size, maximum: maximum)
      if window.size + next <= maximum {
        window.asyncSize = next
        window.size += next
      } else {
        window.size = maximum
        window.asyncSize = maximum >> 1
      }
    }
    state.window = window
    state.pointee.order.store(0, ordering: .relaxed)
    submit(window, order: 0)
  }

  // MARK: A marked folio was touched

  /// Reads the next window because page `index` lies in a folio that carries the marker. Kernel: `page_cache_async_ra`.
  func readOn(from folio: Folio, at index: UInt64, requested: UInt64) {
    guard state.maximum != 0 else { return }
    node.machine.events.note(EngineEvent(.readOn, node, page: index, count: requested, state))
    guard !folio.contains(.writeback) else { return }
    folio.remove(.readahead)
    let maximum = windowLimit(requested: requested)
    // Under so small a limit the next window would push out this one, and the page that is asked for with it.
    if let limit = node.machine.cacheLimit, limit < 3 &* maximum { return }
    var window = state.window
    let expected = (window.start &+ window.size &- window.asyncSize) & ~(folio.pageCount &- 1)
    let followsWindow = rules.mergesSelfHit && index == window.start &+ window.size
    if index == expected || followsWindow {
      window.start &+= window.size
      window.size = max(window.size, Self.nextSize(window.size, maximum: maximum))
    } else {
      let start = nextMiss(after: index, within: maximum)
      guard start != 0, start &- index <= maximum else { return }
      window.start = start
      window.size = Self.nextSize(start &- index &+ requested, maximum: maximum)
    }
    let order: UInt64
    if rules.alignsToOrder {
      order = state.pointee.order.load(ordering: .relaxed) &+ 2
      let align: UInt64 = 1 << min(order, UInt64(maximum.trailingZeroBitCount))
      let end = (window.start &+ window.size) & ~(align &- 1)
      if end > window.start { window.size = end &- window.start }
    } else {
      order = folio.order
    }
    window.asyncSize = window.size
    state.window = window
    submit(window, order: order)
  }

  // MARK: Unconditional reads

  /// Reads `count` pages in pieces of 2 MiB, without marker and without touching the state; at most what the device or the
  /// largest window takes. Kernel: `force_page_cache_ra`.
  func force(at index: UInt64, count: UInt64) {
    var left = min(count, max(node.traits.ioPages, state.maximum))
    var index = index
    while left > 0 {
      let piece = min(left, 512)
      submitPages(at: index, count: piece, asyncSize: 0)
      index &+= piece
      left -= piece
    }
  }

  // MARK: Arithmetic

  /// Kernel: `ractl_max_pages`.
  func windowLimit(requested: UInt64) -> UInt64 {
    let maximum = state.maximum
    return requested > maximum && node.traits.ioPages > maximum ? min(requested, node.traits.ioPages) : maximum
  }

  /// Kernel: `get_init_ra_size`.
  static func initialSize(_ size: UInt64, maximum: UInt64) -> UInt64 {
    guard size > 0, size <= maximum else { return maximum }
    let rounded: UInt64 = size == 1 ? 1 : 1 << UInt64(64 - (size - 1).leadingZeroBitCount)
    if rounded <= maximum / 32 { return rounded * 4 }
    return rounded <= maximum / 4 ? rounded * 2 : maximum
  }

  /// Kernel: `get_next_ra_size`.
  static func nextSize(_ current: UInt64, maximum: UInt64) -> UInt64 {
    if current < maximum / 16 { return current * 4 }
    return current <= maximum / 2 ? current * 2 : maximum
  }

  /// The nearest page without a folio before `index`, looking at most `limit` pages back: all ones when the scan passed page
  /// 0, the last page looked at when all have one. Kernel: `page_cache_prev_miss`.
  private func previousMiss(before index: UInt64, within limit: UInt64) -> UInt64 {
    node.withSlots { slots in
      var walk = XArrayWalk(slots, at: index &- 1)
      for _ in 0..<limit where Self.isMiss(walk.previous()) { break }
      return walk.index
    }
  }

  /// The nearest page without a folio after `index`. Kernel: `page_cache_next_miss`.
  private func nextMiss(after index: UInt64, within limit: UInt64) -> UInt64 {
    node.withSlots { slots in
      var walk = XArrayWalk(slots, at: index &+ 1)
      for _ in 0..<limit where Self.isMiss(walk.next()) { return walk.index }
      return rules.mergesSelfHit ? walk.index : index &+ 1 &+ limit
    }
  }

  private static func isMiss(_ entry: UInt64) -> Bool { entry == 0 || XArray.isValue(entry) }
}
