import Faultline

extension Invariants {
  /// Free lists and folios together are all frames, each once.
  func checkFrames(_ picture: Picture, _ report: inout Report) {
    var owners = [UInt8](repeating: 0, count: picture.frames.count)
    let blocks = machine.memory.auditFreeBlocks()
    let isFreeBlock = Set(blocks.map { $0.number << 8 | $0.order })
    for (number, order) in blocks {
      report.expect(number & ((1 << order) - 1) == 0, .freeBlocksMerge, "block of order \(order) at frame \(number)")
      let buddy = number ^ (1 << order)
      report.expect(
        order == PhysicalMemory.pmdOrder || !isFreeBlock.contains(buddy << 8 | order), .freeBlocksMerge,
        "frames \(number) and \(buddy) are free buddies of order \(order)")
      for frame in number..<number + (1 << order) where frame < owners.count {
        owners[Int(frame)] += 1
        checkFree(picture.frames[Int(frame)], &report)
      }
    }
    var used: UInt64 = 0
    for frame in picture.frames where frame.references > 0 {
      report.expect(frame.head == nil, .tailsHoldNothing, "frame \(frame.number) has \(frame.references) references")
      report.expect(
        frame.number & ((1 << frame.order) - 1) == 0, .folioIsAligned, "order \(frame.order) at frame \(frame.number)")
      used += 1 << frame.order
      for page in frame.number..<frame.number + (1 << frame.order) where page < owners.count {
        owners[Int(page)] += 1
        let head = picture.frames[Int(page)].head
        report.expect(
          head == (page == frame.number ? nil : frame.number), .folioIsAligned,
          "frame \(page) points to \(head.map(String.init) ?? "none") instead of \(frame.number)")
      }
    }
    for (number, count) in owners.enumerated() {
      report.expect(count == 1, .frameHasOneState, "frame \(number) has \(count) states\(history(UInt64(number)))")
    }
    report.expect(
      used == machine.memory.usedFrames, .framesAreConserved, "\(machine.memory.usedFrames) counted, \(used) found")
  }

  private func checkFree(_ frame: FrameAudit, _ report: inout Report) {
    let isBare = frame.references == 0 && frame.mapCount == 0 && !frame.isLocked
    report.expect(
      isBare, .freeFrameIsBare,
      "frame \(frame.number): \(frame.references) references, \(frame.mapCount) mappings\(history(frame.number))")
  }

  /// References and map counts against entries, caches and what is held.
  func checkFolios(_ picture: Picture, _ report: inout Report) {
    let retired = Set(machine.auditRetiredFrames)
    for frame in picture.frames {
      let found = picture.entries[frame.number] ?? 0
      report.expect(
        frame.mapCount == found, .mapCountsAddUp,
        "frame \(frame.number): \(frame.mapCount) counted, \(found) found\(history(frame.number))")
      guard frame.references > 0, frame.head == nil else { continue }
      let pages = frame.number..<frame.number + (1 << frame.order)
      let huge = picture.hugeEntries[frame.number] ?? 0
      let mapped = pages.reduce(huge) { $0 + (picture.entries[$1] ?? 0) }
      if frame.order != 0 {
        report.expect(
          frame.hugeMapCount == huge && frame.totalMapCount == mapped, .mapCountsAddUp,
          "frame \(frame.number): \(frame.hugeMapCount) huge of \(frame.totalMapCount) counted, \(huge) of \(mapped) "
            + "found\(history(frame.number))")
      }
      let inCache: UInt64 = picture.cached[frame.number] == nil ? 0 : 1 << frame.order
      let isZero = frame.number == machine.auditZeroFrame || frame.number == machine.auditHugeZeroFrame
      let zeroPage: UInt64 = isZero ? 1 : 0
      let outOfUse: UInt64 = retired.contains(frame.number) ? 1 : 0
      let expected = mapped + inCache + zeroPage + outOfUse + (held[frame.number] ?? 0)
      report.expect(
        frame.references == expected, .referencesAddUp,
        "frame \(frame.number): \(frame.references) references; \(mapped) entries + \(inCache) in the cache"
          + " + \(held[frame.number] ?? 0) held\(history(frame.number))")
      report.expect(
        !frame.isLocked && !frame.flags.contains(.writeback), .nothingIsLocked,
        "frame \(frame.number)\(history(frame.number))")
      report.expect(
        frame.owner != .program || mapped == 0 || !frame.mayBePinned || frame.flags.contains(.exclusive),
        .pinnedIsTheProgramsOwn, "frame \(frame.number)\(history(frame.number))")
      report.expect(
        mapped == 0 || frame.flags.contains(.uptodate), .mappedMeansUptodate, "frame \(frame.number)")
      if case .cache = frame.owner {
        report.expect(
          picture.cached[frame.number] != nil, .slotsAndFoliosAgree,
          "frame \(frame.number) says it is cached at page \(frame.index), where it is not")
      }
    }
  }

  /// Who took and gave back references last, in builds that keep that.
  private func history(_ frame: UInt64) -> String {
    let events = machine.memory.referenceHistory(ofFrame: frame)
    return events.isEmpty ? "" : "; last: " + events.joined(separator: ", ")
  }
}
