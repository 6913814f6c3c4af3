/// Faults that one entry of a middle table can serve: 2 MiB of a file or of private memory at once.
///
/// Laws
/// 1. Reasons to refuse are looked at before any lock is taken, the cheapest first.
/// 2. A reference that goes into an attempt comes back in its outcome unless the entry has taken it over.
/// 3. What is refused leaves no trace: no table entered, nothing counted.

/// Why a folio is not mapped by one entry. Kernel: the ways out of `do_set_pmd`.
enum HugeRefusal {
  /// The area or the file's end does not allow it, or the 2 MiB do not lie in the area at the same place as in the file.
  case unsuitable
  /// The folio is not of that size, or one of its pages has failed.
  case wrongFolio
  /// A table or another huge entry is there already.
  case taken
}

/// What became of a reference that was offered to a huge entry.
enum HugeOutcome: ~Copyable {
  /// The entry has it.
  case mapped
  case refused(FolioReference, HugeRefusal)
}

extension AddressSpace {
  /// Maps the whole of a locked folio of the page cache by one entry, if it may be. Kernel: `do_set_pmd`.
  func mapHuge(_ reference: consuming FolioReference, _ context: borrowing FaultContext) -> HugeOutcome {
    let folio = reference.folio
    guard folio.order == PhysicalMemory.pmdOrder, !folio.hasPoison else {
      return .refused(reference, .wrongFolio)
    }
    guard context.middle.isNone else { return .refused(reference, .taken) }
    // The entry of 2 MiB has another lock, under which nobody has looked at the area.
    guard !context.isSpeculative else { return .refused(reference, .unsuitable) }
    guard context.area.canMapHuge(around: context.page), !isHugeForbidden(context.area) else {
      return .refused(reference, .unsuitable)
    }
    let entry = PageTableEntry(
      frame: memory.number(of: folio.head), permissions: permissions(context) | PageTableEntry.hugeBit)
    folio.addHugeMapping()
    #if DEBUG || ModelCheck
      machine.switches.pass(.hugeDecided)
    #endif
    guard table.setHuge(entry, at: context.middle) else {
      folio.removeHugeMapping()
      return .refused(reference, .taken)
    }
    countFilePages(folio.pageCount)
    countHugeFilePages(folio.pageCount)
    _ = reference.release()
    return .mapped
  }

  /// Whether the program's advice keeps what the cache has from being mapped by one entry. Kernel: `vma_thp_disabled`.
  private func isHugeForbidden(_ area: VMAPointer) -> Bool {
    machine.rules.hugePages.adviceForbidsCached && area.flags.contains(.noHugePage)
  }

  /// Where no leaf table is: a huge entry that did not let the access through, or nothing, where one may be.
  ///
  /// - Returns: `nil` when the access goes on by single pages.
  @inline(never)
  func faultHuge(_ context: inout FaultContext) -> FaultResult? {
    let entry = context.middle.entry
    if entry.isHuge { return faultHugePresent(&context, entry) }
    if context.area.isDirect { return faultDirectHuge(&context) }
    return context.area.pointee.cache == nil && entry.isNone ? faultHugeAnonymous(&context) : nil
  }

  /// An access to private memory where nothing is entered for 2 MiB: the huge page of zeroes, or a huge page of its own.
  /// Kernel: `do_huge_pmd_anonymous_page`.
  ///
  /// - Returns: `nil` when it must go by single pages.
  private func faultHugeAnonymous(_ context: inout FaultContext) -> FaultResult? {
    let area = context.area
    guard machine.rules.hugePages.allowsPrivate(area.flags),
      area.canMapHuge(around: context.page)
    else { return nil }
    preparePrivatePages(of: area)
    let first = context.page & ~(PageSize.entriesPerTable - 1)
    let permissions = permissions(context) | PageTableEntry.hugeBit
    guard context.isWrite else {
      guard let zero = machine.hugeZeroFrame else { return nil }
      guard context.prepareTable() else { return .outOfMemory }
      let entry = PageTableEntry(frame: zero, permissions: permissions | PageTableEntry.specialBit)
        .without(PageTableEntry.writableBit)
      return table.setHuge(entry, at: context.middle, depositing: &context.spareTable) ? [] : .noPage
    }
    guard let folio = memory.allocateZeroed(order: PhysicalMemory.pmdOrder) else { return nil }
    let reference = FolioReference(owning: folio, memory: memory)
    guard context.prepareTable() else { return .outOfMemory }
    folio.becomePrivate(page: first)
    folio.addHugeMapping()
    let entry = PageTableEntry(frame: memory.number(of: folio.head), permissions: permissions)
    guard table.setHuge(entry, at: context.middle, depositing: &context.spareTable) else {
      folio.removeHugeMapping()
      return .noPage
    }
    countPrivatePages(folio.pageCount)
    _ = reference.release()
    return []
  }

  /// An access that a huge entry did not let through. Kernel: the second half of `__handle_mm_fault`.
  ///
  /// - Returns: `nil` when the entry was split or taken out, and the access goes on by single pages.
  private func faultHugePresent(_ context: inout FaultContext, _ seen: PageTableEntry) -> FaultResult? {
    guard context.isWrite || context.flags.contains(.unshare), !seen.isWritable else {
      let marks = PageTableEntry.accessedBit | (context.isWrite ? PageTableEntry.dirtyBit : 0)
      table.lock(of: context.middle.table).pointee.lock.withLock {
        let now = context.middle.pointer.pointee.load(ordering: .relaxed)
        if now == seen.rawValue { context.middle.pointer.pointee.bitwiseOr(marks, ordering: .relaxed) }
      }
      return []
    }
    if context.area.isDirect {
      if let result = storeDirectHuge(&context) { return result }
      splitHuge(at: context.middle)
      return nil
    }
    if seen.isSpecial { return replaceHugeZero(&context, seen) }
    if Folio(of: memory.frame(seen.frame)).isPrivate, reuseHuge(context, seen) { return [] }
    splitHuge(at: context.middle)
    return nil
  }

  /// A store to the huge page of zeroes: a huge page in its place, where the kernel makes one. Kernel: `do_huge_zero_wp_pmd`.
  private func replaceHugeZero(_ context: inout FaultContext, _ seen: PageTableEntry) -> FaultResult? {
    guard machine.rules.hugePages.replacesHugeZero,
      let folio = memory.allocateZeroed(order: PhysicalMemory.pmdOrder)
    else {
      splitHuge(at: context.middle)
      return nil
    }
    let reference = FolioReference(owning: folio, memory: memory)
    folio.becomePrivate(page: context.page & ~(PageSize.entriesPerTable - 1))
    let entry = PageTableEntry(
      frame: memory.number(of: folio.head),
      permissions: context.area.pointee.entryPermissions.load(ordering: .relaxed) | PageTableEntry.accessedBit
        | PageTableEntry.hugeBit | PageTableEntry.dirtyBit | writableBit(of: context.area))
    folio.addHugeMapping()
    let isSet = table.lock(of: context.middle.table).pointee.lock.withLock {
      let now = PageTableEntry(rawValue: context.middle.pointer.pointee.load(ordering: .relaxed))
      guard now.isHuge, now.isSpecial else { return false }
      // The deposited table stays with the new entry.
      context.middle.pointer.pointee.store(entry.rawValue, ordering: .releasing)
      return true
    }
    guard isSet else {
      folio.removeHugeMapping()
      return .noPage
    }
    countPrivatePages(folio.pageCount)
    _ = reference.release()
    return []
  }

  /// Makes the huge entry of a folio that nobody else can see writable. Kernel: `do_huge_pmd_wp_page`.
  private func reuseHuge(_ context: borrowing FaultContext, _ seen: PageTableEntry) -> Bool {
    let folio = Folio(of: memory.frame(seen.frame))
    return table.lock(of: context.middle.table).pointee.lock.withLock {
      guard context.middle.pointer.pointee.load(ordering: .relaxed) == seen.rawValue else { return true }
      guard folio.contains(.exclusive) || folio.references == 1 else { return false }
      folio.insert(.exclusive)
      guard context.isWrite else { return true }
      context.middle.pointer.pointee.bitwiseOr(
        PageTableEntry.accessedBit | PageTableEntry.dirtyBit | writableBit(of: context.area), ordering: .relaxed)
      return true
    }
  }
}

extension VMAPointer {
  /// Whether the 2 MiB around `page` lie in the area, and at a multiple of 2 MiB in the file. Kernel:
  /// `thp_vma_suitable_order`.
  func canMapHuge(around page: UInt64) -> Bool {
    let mask = PageSize.entriesPerTable - 1
    let first = page & ~mask
    guard first >= start, first + mask < end else { return false }
    return pointee.cache == nil || (start &- pointee.filePage.load(ordering: .relaxed)) & mask == 0
  }
}
