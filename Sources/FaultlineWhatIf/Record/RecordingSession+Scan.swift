/// What samples cannot show: pages that are mapped although no fault was seen.
extension RecordingSession {
  /// Compares the page table with the touches, and records what is missing.
  func scan(_ range: Range<UInt64>, _ space: RecordedSpace, task: Int) {
    let mappings = space.traced.mappings.overlapping(range).filter(\.isWatched)
    guard !mappings.isEmpty else { return }
    // First the page table, then the rings: a sample is older than the entry that its fault makes, so what is present now and not in
    // the rings then was not sampled.
    let present = mappings.map { mapping in
      var runs: [PresentRun] = []
      let isReadable = space.forEachRun(in: mapping.pages) { run in if run.isPresent { runs.append(run) } }
      if !isReadable {
        warn("the page table of process \(space.traced.process) cannot be read: untimed touches are missing")
      }
      return runs
    }
    takeSamples()
    var found = TraceScan(
      range: TraceRange(process: space.number, page: range.lowerBound, pages: UInt64(range.count)), present: 0,
      touches: 0,
      untimed: 0, inherited: 0, gone: 0)
    let time = now()
    for (mapping, runs) in zip(mappings, present) {
      let known =
        space.timed.count(mapping.pages) + space.untimed.count(mapping.pages) + space.inherited.count(mapping.pages)
      var fresh: UInt64 = 0
      let before = found.present
      for run in runs {
        let isCopy = !mapping.isShared && !run.isFile
        let pages = UInt64(run.pages.count)
        // Nearly always nothing is missing, and a scan stops the program: whole words instead of pages.
        if space.timed.count(run.pages) == pages, !isCopy || space.written.count(run.pages) == pages {
          found.present += pages
          found.touches += pages
          continue
        }
        for page in run.pages where account(page, isCopy: isCopy, space, &found, task: task, time: time) { fresh += 1 }
      }
      let still = found.present - before - fresh
      found.gone += known > still ? known - still : 0
    }
    write(.scan(found), task: task)
  }

  /// Counts a present page, and records what is not known about it yet. True when there was no touch of it.
  private func account(
    _ page: UInt64, isCopy: Bool, _ space: RecordedSpace, _ found: inout TraceScan, task: Int, time: UInt64
  ) -> Bool {
    found.present += 1
    if space.inherited.contains(page) {
      found.inherited += 1
      return false
    }
    if space.timed.contains(page) {
      found.touches += 1
      if isCopy, space.written.insert(page) { writeUntimed(.write, page, task: task, time: time) }
      return false
    }
    found.untimed += 1
    let isFresh = space.untimed.insert(page)
    if isFresh {
      if isCopy { _ = space.written.insert(page) }
      writeUntimed(isCopy ? .write : .read, page, task: task, time: time)
    } else if isCopy, space.written.insert(page) {
      writeUntimed(.write, page, task: task, time: time)
    }
    return isFresh
  }

  private func writeUntimed(_ access: TraceAccess, _ page: UInt64, task: Int, time: UInt64) {
    writer.write(TraceTouch(kind: .untimed, access: access, task: task, page: page, time: time))
  }
}
