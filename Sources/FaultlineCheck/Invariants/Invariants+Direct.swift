import Faultline

extension Invariants {
  /// One file with DAX: its entries against the device's folios, its size and its own counts.
  func checkDirect(_ file: FileNode, _ name: String, _ picture: Picture, _ report: inout Report) {
    let filePages = PageSize.pages(covering: file.size)
    let slots = file.auditDirectSlots()
    for slot in slots {
      report.expect(!slot.isLocked, .nothingIsLocked, "\(name), entry of page \(slot.pages.lowerBound)")
      report.expect(
        slot.pages.lowerBound < filePages, .nothingBeyondEnd,
        "\(name), page \(slot.pages.lowerBound) of a file of \(filePages)")
      guard let number = slot.frame, let frame = picture.frame(number) else { continue }
      report.expect(
        frame.owner == .cache(file.auditIdentity) && frame.index == slot.pages.lowerBound && frame.references > 0
          && frame.flags.contains(.device) && 1 << frame.order == UInt64(slot.pages.count),
        .directEntriesAddUp, "\(name), page \(slot.pages.lowerBound): frame \(number) says page \(frame.index)")
    }
    let pages = slots.reduce(0) { $0 + UInt64($1.pages.count) }
    report.expect(
      pages == file.cachedPages, .cachedPagesAddUp, "\(name): \(file.cachedPages) counted, \(pages) found")
    let dirty = UInt64(slots.count { $0.isMarkedDirty })
    report.expect(
      dirty == file.auditDirtyEntries, .directEntriesAddUp,
      "\(name): \(file.auditDirtyEntries) dirty entries counted, \(dirty) found")
  }

  /// References and map counts of the devices' folios against entries of both kinds and what is held.
  func checkDeviceFolios(_ picture: Picture, _ report: inout Report) {
    for (number, frame) in picture.deviceFrames.sorted(by: { $0.key < $1.key }) {
      let single = picture.entries[number] ?? 0
      report.expect(
        frame.mapCount == single, .mapCountsAddUp, "frame \(number): \(frame.mapCount) counted, \(single) found")
      guard frame.head == nil else { continue }
      let huge = picture.hugeEntries[number] ?? 0
      let mapped = (number..<number + (1 << frame.order)).reduce(huge) { $0 + (picture.entries[$1] ?? 0) }
      if frame.order != 0 {
        report.expect(
          frame.hugeMapCount == huge && frame.totalMapCount == mapped, .mapCountsAddUp,
          "frame \(number): \(frame.hugeMapCount) huge of \(frame.totalMapCount) counted, \(huge) of \(mapped) found")
      }
      let isOwned = picture.direct[number] != nil || machine.memory.auditIsPermanent(number)
      let owner: UInt64 = isOwned ? 1 : 0
      let expected = mapped + owner + (held[number] ?? 0)
      report.expect(
        frame.references == expected, .referencesAddUp,
        "frame \(number): \(frame.references) references; \(mapped) entries + \(owner) of the file or device"
          + " + \(held[number] ?? 0) held")
      report.expect(!frame.isLocked, .nothingIsLocked, "frame \(number)")
    }
  }

  /// What lets stores through to a file with DAX: known as dirty, and under MAP_SYNC durable. Nobody keeps such
  /// accounts of a device.
  func checkDirectStores(
    _ entry: PageTableEntry, showing page: UInt64, _ area: AreaAudit, _ name: String, _ picture: Picture,
    _ report: inout Report
  ) {
    guard let cache = area.cache, let file = files.first(where: { $0.auditIdentity == cache }), !file.isDevice else {
      return
    }
    report.expect(picture.isMarkedDirty(page, of: cache), .notifiedBeforeWritable, name)
    guard area.flags.contains(.sync) else { return }
    report.expect(
      file.auditIsDurable(page..<page + entry.pageCount, onFrame: entry.frame.rawValue) != false, .syncMapping, name)
  }
}
