import Faultline

extension Invariants {
  /// The reclaim lists against the flags of the folios, and against the caches.
  func checkLists(_ picture: Picture, _ report: inout Report) {
    var lists: [UInt64: [Bool]] = [:]
    for frame in machine.auditActiveList { lists[frame, default: []].append(true) }
    for frame in machine.auditInactiveList { lists[frame, default: []].append(false) }
    let reclaimable = Set(files.filter(\.auditIsReclaimable).map(\.auditIdentity))
    for frame in picture.frames where frame.references > 0 && frame.head == nil {
      let found = lists[frame.number] ?? []
      let belongs = picture.cached[frame.number].map { reclaimable.contains($0.cache) } ?? false
      report.expect(
        frame.isOnList == belongs && found == (belongs ? [frame.flags.contains(.active)] : []), .listsAgreeWithFolios,
        "frame \(frame.number): on \(found.count) lists, says \(frame.isOnList), cached with a store \(belongs)")
    }
  }

  /// One file's slots against its folios, its size and its areas.
  func checkCache(_ file: FileNode, _ name: String, _ picture: Picture, _ report: inout Report) {
    let filePages = PageSize.pages(covering: file.size)
    var pages: UInt64 = 0
    for slot in file.auditSlots() {
      guard let number = slot.frame, let frame = picture.frame(number) else { continue }
      pages += 1 << frame.order
      report.expect(
        frame.owner == .cache(file.auditIdentity) && frame.index == slot.index && frame.references > 0,
        .slotsAndFoliosAgree, "\(name), page \(slot.index): frame \(number) says page \(frame.index)")
      report.expect(
        frame.flags.contains(.dirty) == slot.isMarkedDirty, .dirtyIsMarked,
        "\(name), page \(slot.index): dirty \(frame.flags.contains(.dirty)), marked \(slot.isMarkedDirty)")
      report.expect(!slot.isMarkedWriteback, .nothingIsLocked, "\(name), page \(slot.index) is under writeback")
      report.expect(
        slot.index < filePages || file.traits.isMemoryOnly, .nothingBeyondEnd,
        "\(name), page \(slot.index) of a file of \(filePages)")
    }
    report.expect(
      file.isDirect || pages == file.cachedPages, .cachedPagesAddUp,
      "\(name): \(file.cachedPages) counted, \(pages) found")
    report.expect(!file.auditIsLocked(), .nothingIsLocked, name)
    for (number, space) in spaces.enumerated() {
      let listed = space.auditListedAreas(of: file).sorted { $0.lowerBound < $1.lowerBound }
      let found = space.auditAreas().filter { $0.cache == file.auditIdentity }.map(\.pages)
      report.expect(
        listed == found, .filesListTheirAreas, "\(name) lists \(listed) of space \(number), which has \(found)")
    }
  }
}
