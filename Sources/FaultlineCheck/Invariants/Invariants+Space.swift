import Faultline

extension Invariants {
  /// One address space: areas, entries, tables and counts.
  func checkSpace(_ space: AddressSpace, _ name: String, _ picture: Picture, _ report: inout Report) {
    let areas = space.auditAreas()
    for (area, next) in zip(areas, areas.dropFirst()) {
      report.expect(area.pages.upperBound <= next.pages.lowerBound, .areasAreOrdered, "\(name): \(area.pages)")
    }
    for area in areas { report.expect(!area.pages.isEmpty, .areasAreOrdered, "\(name): \(area.pages)") }
    report.expect(!space.auditIsLocked(), .nothingIsLocked, name)

    var filePages: UInt64 = 0
    var privatePages: UInt64 = 0
    var privateHuge = 0
    var hugeFilePages: UInt64 = 0
    var position = 0
    for (page, entry) in space.auditEntries() {
      while position < areas.count, areas[position].pages.upperBound <= page { position += 1 }
      guard position < areas.count, areas[position].pages.contains(page) else {
        report.expect(!entry.isPresent, .entriesLieInAreas, "\(name), page \(page)")
        continue
      }
      guard entry.isPresent else { continue }
      let count = entry.pageCount
      report.expect(
        page + count <= areas[position].pages.upperBound, .entriesLieInAreas, "\(name), huge entry of page \(page)")
      if entry.isHuge, entry.isSpecial, !entry.isHole { privateHuge += 1 }
      checkEntry(entry, at: page, areas[position], "\(name), page \(page)", picture, &report)
      guard !entry.isSpecial, let head = picture.head(of: entry.frame.rawValue) else { continue }
      if head.owner == .program { privatePages += count } else { filePages += count }
      if head.owner == .program, entry.isHuge { privateHuge += 1 }
      if head.owner != .program, entry.isHuge { hugeFilePages += count }
    }
    report.expect(
      privateHuge == space.auditDeposits(), .splitsNeverFail,
      "\(name): \(privateHuge) huge entries of private memory, \(space.auditDeposits()) tables deposited")
    report.expect(
      filePages == space.mappedFilePages && privatePages == space.mappedPrivatePages, .mappedPagesAddUp,
      "\(name): \(space.mappedFilePages) file and \(space.mappedPrivatePages) private pages counted, "
        + "\(filePages) and \(privatePages) found")
    report.expect(
      hugeFilePages == space.mappedHugeFilePages, .mappedPagesAddUp,
      "\(name): \(space.mappedHugeFilePages) pages of huge entries counted, \(hugeFilePages) found")
    checkTables(space, areas, name, &report)
  }

  private func checkEntry(
    _ entry: PageTableEntry, at page: UInt64, _ area: AreaAudit, _ name: String, _ picture: Picture,
    _ report: inout Report
  ) {
    report.expect(!entry.isWritable || area.flags.contains(.write), .entriesStayBelowAreas, "\(name) is writable")
    report.expect(
      entry.isInaccessible || !area.flags.isDisjoint(with: [.read, .write, .execute]), .entriesStayBelowAreas,
      "\(name) is accessible")
    let isPrivateArea = area.flags.isDisjoint(with: [.shared, .mayShare])
    if entry.isSpecial {
      report.expect(
        !entry.isWritable
          && entry.frame.rawValue == (entry.isHuge ? machine.auditHugeZeroFrame : machine.auditZeroFrame),
        .entriesShowTheRightPage,
        "\(name): zero page")
      return
    }
    guard let frame = picture.frame(entry.frame.rawValue), let head = picture.head(of: frame.number) else { return }
    report.expect(head.references > 0, .entriesShowTheRightPage, "\(name): frame \(frame.number) is free")
    let wanted = area.filePage + (page - area.pages.lowerBound)
    // Huge folios of files in memory are mapped whole across the end; of all files where kernels do not look at the end. A store
    // through such an entry copies the page, wherever it lies.
    let mayCrossEnd = !area.notifiesOfWrites || !machine.rules.clipsAroundToFileEnd
    let copiedFirst = wanted & ~(PageSize.entriesPerTable - 1)
    let shownFirst = mayCrossEnd ? head.owner == .program ? copiedFirst : head.index : wanted
    report.expect(
      min(wanted, shownFirst) < area.filePages, .nothingBeyondEnd,
      "\(name): page \(wanted) of a file of \(area.filePages)")
    if head.owner == .program {
      report.expect(isPrivateArea || area.cache == nil, .entriesShowTheRightPage, "\(name): a copy in a shared area")
      return
    }
    report.expect(!(isPrivateArea && entry.isWritable), .privateStoresAreCopies, name)
    let shown = head.index + (frame.number - head.number)
    report.expect(
      area.cache.map { head.owner == .cache($0) } == true && shown == wanted, .entriesShowTheRightPage,
      "\(name): shows page \(shown) of its file instead of \(wanted)")
    if head.flags.contains(.device) {
      if entry.isWritable { checkDirectStores(entry, showing: wanted, area, name, picture, &report) }
      return
    }
    if area.notifiesOfWrites, entry.isWritable {
      report.expect(entry.isDirty || head.flags.contains(.dirty), .notifiedBeforeWritable, name)
    }
  }

  private func checkTables(
    _ space: AddressSpace, _ areas: [AreaAudit], _ name: String, _ report: inout Report
  ) {
    for table in space.auditTables() where table.level == 0 {
      let covered = table.firstPage..<table.firstPage + PageSize.entriesPerTable
      report.expect(
        areas.contains { $0.pages.overlaps(covered) }, .tablesCoverAreas, "\(name): table of page \(table.firstPage)")
    }
  }
}
