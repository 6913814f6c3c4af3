/// What an evicted folio leaves in its slot: when it went, and whether it was in use then. Kernel: `pack_shadow`.
///
/// A value entry of the cache's slots: bit 0 set, bit 1 the working-set mark, the age above.
struct Shadow: Equatable {
  let age: UInt64
  let wasWorkingset: Bool

  init(age: UInt64, wasWorkingset: Bool) {
    self.age = age & (.max >> 2)
    self.wasWorkingset = wasWorkingset
  }

  /// The shadow in a slot; `nil` for a slot that is empty or holds a folio.
  init?(entry: UInt64) {
    guard XArray.isValue(entry) else { return nil }
    age = entry >> 2
    wasWorkingset = entry & 2 != 0
  }

  var entry: UInt64 { age << 2 | (wasWorkingset ? 2 : 0) | 1 }
}

extension Machine {
  /// A folio came back into a slot that holds a shadow. If fewer pages went or became active meanwhile than the active list
  /// holds, it would have stayed with a little more room: it becomes active at once. Kernel: `workingset_refault`.
  func noteRefault(of folio: Folio, _ shadow: Shadow) {
    refaultsWord.wrappingAdd(folio.pageCount, ordering: .relaxed)
    let distance = (lists.age &- shadow.age) & (.max >> 2)
    guard distance <= lists.activePages else { return }
    folio.insert(.active)
    lists.advance(by: folio.pageCount)
    if shadow.wasWorkingset { folio.insert(.workingset) }
  }

  /// A folio was used: the first time it is remembered, the second time the folio becomes active.
  /// Kernel: `folio_mark_accessed`.
  func markAccessed(_ folio: Folio) {
    guard !folio.contains(.device) else { return }
    if !folio.contains(.referenced), folio.insert(.referenced) { return }
    guard lists.activate(folio) else { return }
    lists.advance(by: folio.pageCount)
    folio.remove(.referenced)
  }
}
