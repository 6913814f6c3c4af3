extension FileNode {
  /// A zeroed folio over page `index` of a file that lives in memory, unlocked, with a reference: huge where the file system
  /// wants that and nothing of those 2 MiB is there yet. Kernel: `shmem_get_folio_gfp`.
  ///
  /// - Parameters:
  ///   - area: the area whose fault asks for it; `nil` for write(2) and fallocate(2).
  ///   - isUptodate: whether it counts as written.
  /// - Returns: `nil` without memory, or when another thread's page came first and was gone again.
  func fillHole(at index: UInt64, for area: VMAPointer? = nil, isUptodate: Bool = true) -> FolioReference? {
    var order = largestOrder(at: index, for: area)
    let smallest = machine.rules.largeFolios.writesTrySmaller && area == nil ? 1 : PhysicalMemory.pmdOrder
    while order >= smallest {
      let first = index & ~((1 << order) - 1)
      if withSlots({ $0.first(from: first, through: first + (1 << order) - 1) }) == nil,
        let made = insertZeroed(at: first, order: order, isUptodate)
      {
        return made
      }
      order -= 1
    }
    return insertZeroed(at: index, order: 0, isUptodate) ?? lookUp(index)
  }

  private func insertZeroed(at index: UInt64, order: UInt64, _ isUptodate: Bool) -> FolioReference? {
    guard let folio = memory.allocateZeroed(order: order) else { return nil }
    let reference = FolioReference(owning: folio, memory: memory)
    if isUptodate { folio.insert(.uptodate) }
    guard insert(folio, at: index) else { return nil }
    return reference
  }

  private func largestOrder(at index: UInt64, for area: VMAPointer?) -> UInt64 {
    guard traits.fillsHoles == .hugePages else { return 0 }
    guard let area else { return PhysicalMemory.pmdOrder }
    guard !area.flags.contains(.noHugePage) else { return 0 }
    let mustSuit = machine.rules.largeFolios.hugeNeedsSuitableArea
    return mustSuit && !area.couldMapHuge(filePage: index) ? 0 : PhysicalMemory.pmdOrder
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
