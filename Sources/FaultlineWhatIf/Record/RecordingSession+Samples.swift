/// From fault samples to timed touches.
extension RecordingSession {
  var progress: Int { writer.touches }
  func save() { writer.flush() }

  /// Writes what the rings hold: everything that happened before the call by the thread that is stopped now.
  func takeSamples() {
    let batch = sampler.drain()
    for sample in batch.samples { take(sample) }
    if batch.lost > 0 {
      lost += batch.lost
      write(.lost(batch.lost), task: 0)
    }
    for (thread, name) in batch.names {
      guard let task = tracer?.tasks[thread], task.name != name, threads[thread] != nil else { continue }
      task.name = name
      declare(task)
    }
  }

  private func take(_ sample: FaultSample) {
    guard let (task, space) = threads[sample.thread] else { return }
    let page = sample.address >> pageShift
    guard let mapping = space.traced.mappings.find(page) else { return }
    let access = access(of: sample, in: mapping, space)
    if space.untimed.contains(page) || space.inherited.contains(page) || !space.timed.insert(page) {
      // A page is recorded again only for the write that follows a read and faults by itself.
      guard mapping.protection.contains(.write), access != .execute,
        access == .write || space.stores(at: sample.instruction) == nil
      else { return }
      guard space.written.insert(page) else { return }
      return writeTimed(.write, page, task, sample)
    }
    if access == .write { _ = space.written.insert(page) }
    writeTimed(access, page, task, sample)
  }

  private func writeTimed(_ access: TraceAccess, _ page: UInt64, _ task: Int, _ sample: FaultSample) {
    let time = sample.time > start ? sample.time - start : 0
    writer.write(TraceTouch(kind: .timed, access: access, task: task, page: page, time: time))
  }

  private func access(of sample: FaultSample, in mapping: FileMapping, _ space: RecordedSpace) -> TraceAccess {
    let longestInstruction: UInt64 = 15
    if sample.address &- sample.instruction < longestInstruction { return .execute }
    guard mapping.protection.contains(.write) else { return .read }
    return space.stores(at: sample.instruction) == true ? .write : .read
  }
}
