/// What the program does to its mappings and says about them.
extension RecordingSession {
  /// MAP_POPULATE, MAP_LOCKED.
  private static let populate: UInt64 = 0x8000
  private static let locked: UInt64 = 0x2000
  /// MAP_SYNC and MAP_HUGETLB: such mappings have no page cache, or pages of another size.
  private static let leftAlone: UInt64 = 0x80000 | 0x40000

  func willMap(_ request: inout MapRequest, _ task: TracedTask) {
    guard !isCoarse else { return }
    guard request.flags & Self.leftAlone == 0 else { return }
    request.flags &= ~(Self.populate | Self.locked)
    // The kernel registers no shared mapping that can never be written; nothing is written, so a private one shows the same touches.
    if request.isReadOnly, request.flags & 3 != 2 { request.flags = request.flags & ~3 | 2 }
  }

  func didMap(_ mapping: FileMapping, flags: UInt64, _ task: TracedTask) {
    guard let space = recorded(task) else { return }
    writeMap(mapping, flags: flags, task)
    let range = TraceRange(process: space.number, page: mapping.pages.lowerBound, pages: UInt64(mapping.pages.count))
    if flags & Self.populate != 0 { write(.populate(range, how: .mapPopulate), task: task.index) }
    if flags & Self.locked != 0 { write(.populate(range, how: .mapLocked), task: task.index) }
    if let how = space.traced.locksFuture { write(.populate(range, how: how), task: task.index) }
    if flags & Self.leftAlone == 0 { watch(mapping, space) }
  }

  func writeMap(_ mapping: FileMapping, flags: UInt64, _ task: TracedTask) {
    writeFiles()
    write(
      .map(
        TraceMapping(
          range: range(mapping.pages, task), protection: mapping.protection, flags: flags, file: mapping.file,
          filePage: mapping.filePage, isText: mapping.isText, openFile: mapping.openFile)),
      task: task.index)
  }

  func willDrop(_ range: Range<UInt64>, _ task: TracedTask) {
    if let space = recorded(task) { scan(range, space, task: task.index) }
  }

  func didDrop(_ range: Range<UInt64>, unmapped: Bool, _ task: TracedTask) {
    recorded(task)?.forget(range)
    if unmapped { write(.unmap(self.range(range, task)), task: task.index) }
  }

  func didMove(_ old: Range<UInt64>, to new: Range<UInt64>, _ task: TracedTask) {
    guard let space = recorded(task) else { return }
    if old.lowerBound != new.lowerBound {
      space.forget(new)
      space.move(old, to: new.lowerBound)
    }
    if new.count < old.count {
      space.forget((new.lowerBound + UInt64(new.count))..<(new.lowerBound + UInt64(old.count)))
    }
    write(
      .remap(
        process: space.number, page: old.lowerBound, pages: UInt64(old.count), newPage: new.lowerBound,
        newPages: UInt64(new.count)), task: task.index)
    for mapping in space.traced.mappings.overlapping(new) { watch(mapping, space) }
  }

  func didProtect(_ range: Range<UInt64>, _ protection: TraceProtection, _ task: TracedTask) {
    write(.protect(self.range(range, task), protection: protection), task: task.index)
  }

  func willAdvise(_ range: Range<UInt64>, advice: Int, _ task: TracedTask) -> Bool {
    let (populateRead, populateWrite) = (22, 23)
    guard advice == populateRead || advice == populateWrite else {
      write(.advise(self.range(range, task), advice: advice), task: task.index)
      return true
    }
    let how: TracePopulate = advice == populateRead ? .advisePopulateRead : .advisePopulateWrite
    write(.populate(self.range(range, task), how: how), task: task.index)
    return isCoarse
  }

  func willLock(_ range: Range<UInt64>, _ how: TracePopulate, _ task: TracedTask) {
    write(.populate(self.range(range, task), how: how), task: task.index)
  }

  func willSync(_ range: Range<UInt64>, flags: Int, _ task: TracedTask) {
    write(.sync(self.range(range, task), flags: flags), task: task.index)
  }

  func fileEvent(_ event: TraceEvent, _ task: TracedTask) {
    writeFiles()
    write(event, task: task.index)
  }
}
