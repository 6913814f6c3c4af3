extension FileNode {
  /// A zeroed folio over page `index` of a file that lives in memory, unlocked, with a reference: huge where the file system
  /// wants that and nothing of those 2 MiB is there yet. Kernel: `shmem_get_folio_gfp`.
  ///
  /// - Parameter area: the area whose fault asks for it; `nil` for write(2).
  /// - Returns: `nil` without memory, or when another thread's page came first and was gone again.
  func fillHole(at index: UInt64, for area: VMAPointer? = nil) -> FolioReference? {
    if makesHugeFolio(at: index, for: area), let made = insertZeroed(at: index & ~511, order: PhysicalMemory.pmdOrder) {
      return made
    }
    return insertZeroed(at: index, order: 0) ?? lookUp(index)
  }

  private func insertZeroed(at index: UInt64, order: UInt64) -> FolioReference? {
    guard let folio = memory.allocateZeroed(order: order) else { return nil }
    let reference = FolioReference(owning: folio, memory: memory)
    folio.insert(.uptodate)
    guard insert(folio, at: index) else { return nil }
    return reference
  }

  private func makesHugeFolio(at index: UInt64, for area: VMAPointer?) -> Bool {
    guard traits.fillsHoles == .hugePages else { return false }
    if let area {
      guard !area.flags.contains(.noHugePage) else { return false }
      if machine.rules.largeFolios.hugeNeedsSuitableArea, !area.couldMapHuge(filePage: index) { return false }
    }
    // Shadows do not count, but files in memory leave none.
    let first = index & ~(PageSize.entriesPerTable - 1)
    return withSlots { $0.first(from: first, through: first + PageSize.entriesPerTable - 1) == nil }
  }
}

extension VMAPointer {
  /// Whether one middle-level entry could show the 2 MiB around `filePage`: they lie whole in the area, and at a multiple of
  /// 2 MiB of the address space as well as of the file. Kernel: `thp_vma_suitable_order`.
  fileprivate func couldMapHuge(filePage: UInt64) -> Bool {
    let first = pointee.filePage.load(ordering: .relaxed)
    let span = PageSize.entriesPerTable
    guard (start &- first) & (span - 1) == 0 else { return false }
    let huge = filePage & ~(span - 1)
    return huge >= first && huge &+ span <= first &+ (end &- start)
  }
}
