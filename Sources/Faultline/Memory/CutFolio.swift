extension Folio {
  /// Makes 2^`order` frames, from the one `offset` pages behind the head, a folio of their own, locked, with `references`.
  ///
  /// The caller has frozen this folio and nothing maps it. What it knows of its contents and its place in a cache holds for
  /// the part as well; the readahead marker stays with the first part. Kernel: `__split_folio_to_order`.
  func cutOff(
    from offset: UInt64, order: UInt64, references: UInt64, _ caller: StaticString = #function
  ) -> Folio {
    let part = head + Int(offset)
    let ofWhole: FolioFlags = [.readahead, .hasBlockState, .partlyUptodate, .pageUptodate]
    let own = FolioFlags.orderMask | ofWhole.rawValue
    let kept = head.pointee.flags.load(ordering: .relaxed) & ~own
    part.pointee.flags.store(kept | order << FolioFlags.orderShift, ordering: .relaxed)
    part.pointee.mapping.store(head.pointee.mapping.load(ordering: .relaxed), ordering: .relaxed)
    part.pointee.index.store(index &+ offset, ordering: .relaxed)
    part.pointee.owner.store(head.pointee.owner.load(ordering: .relaxed), ordering: .relaxed)
    part.pointee.head.store(0, ordering: .relaxed)
    for tail in 1..<max(1, 1 << Int(order)) {
      (part + tail).pointee.head.store(UInt64(UInt(bitPattern: part)), ordering: .relaxed)
    }
    let folio = Folio(head: part)
    folio.forgetMappings()
    part.pointee.life.store(references &* Frame.referenceUnit | Frame.lockBit, ordering: .releasing)
    folio.note(Int64(references), caller)
    return folio
  }

  /// Leaves a frozen folio only its first 2^`order` frames, after the others were cut off.
  func shrink(to order: UInt64) {
    remove([.hasBlockState, .partlyUptodate, .pageUptodate])
    head.pointee.flags.wrappingSubtract((self.order - order) << FolioFlags.orderShift, ordering: .relaxed)
    forgetMappings()
  }

  /// The counts of a folio that nothing maps begin anew where its first tail is another frame than before.
  private func forgetMappings() {
    if order != 0 { clearCounts() }
  }
}
