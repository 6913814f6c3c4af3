/// What a slot of a file with DAX holds, for a checker.
package struct DirectSlotAudit: Sendable {
  package let pages: Range<UInt64>
  package let isLocked: Bool
  package let isMarkedDirty: Bool
  /// The first frame that it shows; `nil` for zeroes and for nothing.
  package let frame: UInt64?
}

extension FileNode {
  /// Every entry of a file with DAX, in order. Call it while nothing else runs, as all of these.
  package func auditDirectSlots() -> [DirectSlotAudit] {
    guard isDirect else { return [] }
    var found: [DirectSlotAudit] = []
    var next: UInt64 = 0
    while let (index, word) = slots.first(from: next, through: .max - 1) {
      let entry = DAXEntry(rawValue: word)
      let pages = entry.pages(around: index)
      found.append(
        DirectSlotAudit(
          pages: pages, isLocked: entry.isLocked, isMarkedDirty: slots.isMarked(index, .dirty),
          frame: entry.isBlock ? entry.frame.rawValue : nil))
      next = pages.upperBound
    }
    return found
  }

  /// How many entries it believes to be marked dirty.
  package var auditDirtyEntries: UInt64 { direct?.dirtyEntries.load(ordering: .relaxed) ?? 0 }

  /// Whether a crash now would leave pages of the file on a frame and those behind it; `nil` where nobody can tell.
  package func auditIsDurable(_ pages: Range<UInt64>, onFrame frame: UInt64) -> Bool? {
    guard let direct else { return nil }
    let page = direct.pages.page(of: memory.frame(FrameNumber(rawValue: frame)))
    return direct.file.isDurable(
      pages.lowerBound << PageSize.shift..<pages.upperBound << PageSize.shift, at: page << PageSize.shift)
  }
}

extension PhysicalMemory {
  /// Whether a frame is part of a device that is mapped as a whole, which has a reference of its own on each folio.
  package func auditIsPermanent(_ number: UInt64) -> Bool {
    device(of: frame(FrameNumber(rawValue: number)))?.order != nil
  }

  /// The metadata of a device's frame; `nil` for a frame of the machine's own.
  package func auditDeviceFrame(_ number: UInt64) -> FrameAudit? {
    guard number >= frameCount, number < frameCount + DeviceRanges.capacity else { return nil }
    return audit(frameNumber: number)
  }
}
