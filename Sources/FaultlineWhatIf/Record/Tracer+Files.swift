import CLinux
import Glibc

/// Calls on descriptors of files that are, or will be, mapped.
extension Tracer {
  func fileCallBegins(_ call: SystemCall, _ task: TracedTask) {
    guard let status = fileStatus(call[0], task) else { return }
    let openFile = openFile(call[0], status, task)
    let event: (Int) -> TraceEvent
    switch call.number {
    case CL_CALL_FADVISE:
      let (offset, length, advice) = (call[1], call[2], Int(Int32(truncatingIfNeeded: call[3])))
      event = { .fileAdvise(file: $0, offset: offset, length: length, advice: advice, openFile: openFile) }
    case CL_CALL_READAHEAD:
      let (offset, length) = (call[1], call[2])
      event = { .readahead(file: $0, offset: offset, length: length, openFile: openFile) }
    case CL_CALL_FTRUNCATE:
      let bytes = call[1]
      event = { .truncate(file: $0, bytes: bytes) }
    default:
      let (mode, offset, length) = (Int(Int32(truncatingIfNeeded: call[1])), call[2], call[3])
      event = { .allocate(file: $0, mode: mode, offset: offset, length: length) }
    }
    if files.known(status) != nil || call.number == CL_CALL_FADVISE || call.number == CL_CALL_READAHEAD {
      note(status, task, event)
    }
  }

  /// Records what was done to a file, or keeps it until the file is mapped.
  private func note(_ status: stat, _ task: TracedTask, _ event: @escaping (Int) -> TraceEvent) {
    if let file = files.known(status) { return observer.fileEvent(event(file), task) }
    earlyCalls[[UInt64(status.st_dev), UInt64(status.st_ino)], default: []].append(event)
  }

  /// A read, `pread` or `sendfile` of a thread that is followed, or that the filter of ``watchReads(of:_:)`` stopped.
  func readBegins(_ call: SystemCall, _ task: TracedTask) {
    let sends = call.number == CL_CALL_SENDFILE
    let descriptor = call[sends ? 1 : 0]
    let copy = task.space.copyDescriptor(Int64(Int32(truncatingIfNeeded: descriptor)))
    guard copy >= 0 else { return }
    defer { close(copy) }
    var status = stat()
    guard fstat(copy, &status) == 0, isPageCached(status), files.known(status) != nil || task.isFollowed else { return }
    var offset = UInt64(max(0, lseek(copy, 0, SEEK_CUR)))  // shared with the program's descriptor
    if call.number == CL_CALL_PREAD || call.number == CL_CALL_PREADV { offset = call[3] }
    if sends, call[2] != 0 { _ = cl_process_read(task.process, call[2], &offset, 8) }
    let (from, openFile) = (offset, openFile(descriptor, status, task))
    task.call = CallInProgress(isExclusive: false) { [unowned self] result in
      if result > 0 {
        note(status, task) { .fileRead(file: $0, offset: from, length: UInt64(result), openFile: openFile) }
      }
    }
  }

  /// Has reads of a descriptor number stop from now on: a second filter beside the first one, because filters cannot be changed.
  func watchReads(of descriptor: UInt64, _ task: TracedTask) {
    let mostFilters = 32
    guard task.space.watchedDescriptors.count < mostFilters, let number = Int32(exactly: descriptor),
      task.space.watchedDescriptors.insert(descriptor).inserted
    else { return }
    inject(into: task) { injection in
      // Room for the filter, far from where the kernel places mappings, so that the program's own are where they would be.
      let size = UInt64(1) << pageShift
      let hint: UInt64 = 0x10_0000
      let room = injection.call(CL_CALL_MMAP, hint, size, 3, 0x22, .max, 0)
      guard room > 0 else { return }
      var filter = cl_read_filter()
      let bytes = cl_read_filter(number, &filter, UInt64(room))
      if cl_process_write(task.process, UInt64(room), &filter, bytes) == bytes {
        let setFilter: UInt64 = 1
        let allThreads: UInt64 = 1
        if injection.call(CL_CALL_SECCOMP, setFilter, allThreads, UInt64(room)) != 0 {
          _ = injection.call(CL_CALL_SECCOMP, setFilter, 0, UInt64(room))
        }
      }
      _ = injection.call(CL_CALL_MUNMAP, UInt64(room), size)
    }
  }

  private func fileStatus(_ descriptor: UInt64, _ task: TracedTask) -> stat? {
    let copy = task.space.copyDescriptor(Int64(Int32(truncatingIfNeeded: descriptor)))
    guard copy >= 0 else { return nil }
    defer { close(copy) }
    var status = stat()
    guard fstat(copy, &status) == 0, isPageCached(status) else { return nil }
    return status
  }
}
