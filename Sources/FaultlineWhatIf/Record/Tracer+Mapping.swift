import CLinux
import Glibc

/// `mmap`, `munmap`, `mremap`, `mprotect`.
extension Tracer {
  private static let anonymous: UInt64 = 0x20
  private static let fixed: UInt64 = 0x10

  func mapBegins(_ call: inout SystemCall, _ task: TracedTask) {
    let flags = call[3]
    let target = pageRange(call[0], call[1])
    let covers = flags & Self.fixed != 0 && target.map { task.space.mappings.overlaps($0) } ?? false
    var request: MapRequest?
    if flags & Self.anonymous == 0 { request = mapRequest(call, task) }
    guard covers || request != nil else { return }
    if covers, let target { observer.willDrop(target, task) }

    var original: [(index: Int32, value: UInt64)] = []
    if request != nil {
      observer.willMap(&request!, task)
      if request!.flags != flags {
        call.set(3, request!.flags)
        original = [(3, flags)]
      }
    }
    let (length, offset, descriptor, space) = (call[1], call[5], call[4], task.space)
    task.call = CallInProgress(original: original) { [unowned self] result in
      guard result >= 0 || result < -4095, let pages = pageRange(UInt64(bitPattern: result), length) else { return }
      guard let request else {
        space.mappings.remove(pages)
        return observer.didDrop(pages, unmapped: true, task)
      }
      let mapping = FileMapping(
        pages: pages, file: request.file, filePage: offset >> pageShift, protection: request.protection,
        isShared: flags & 3 != 2, isText: files.isText(request.file, protection: request.protection),
        openFile: request.openFile)
      space.mappings.insert(mapping)
      observer.didMap(mapping, flags: flags, task)
      if !mapping.isText, observer.wantsFileReads {
        task.followedCalls = 0
        watchReads(of: descriptor, task)
      }
    }
  }

  /// Nil when the call does not map a file whose pages are in the page cache.
  private func mapRequest(_ call: SystemCall, _ task: TracedTask) -> MapRequest? {
    let descriptor = task.space.copyDescriptor(Int64(Int32(truncatingIfNeeded: call[4])))
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, isPageCached(status) else { return nil }
    let (file, isNew) = files.number(of: descriptor, status)
    if isNew, let calls = earlyCalls.removeValue(forKey: [UInt64(status.st_dev), UInt64(status.st_ino)]) {
      for event in calls { observer.fileEvent(event(file), task) }
    }
    return MapRequest(
      file: file, openFile: openFile(call[4], status, task),
      isReadOnly: fcntl(descriptor, F_GETFL) & O_ACCMODE == O_RDONLY,
      protection: TraceProtection(rawValue: call[2]), flags: call[3])
  }

  func isPageCached(_ status: stat) -> Bool {
    status.st_mode & S_IFMT == S_IFREG || status.st_mode & S_IFMT == S_IFBLK
  }

  func unmapBegins(_ call: SystemCall, _ task: TracedTask) {
    guard let range = pageRange(call[0], call[1]), task.space.mappings.overlaps(range) else { return }
    observer.willDrop(range, task)
    let space = task.space
    task.call = CallInProgress { [unowned self] result in
      guard result == 0 else { return }
      space.mappings.remove(range)
      observer.didDrop(range, unmapped: true, task)
    }
  }

  func protectBegins(_ call: SystemCall, _ task: TracedTask) {
    guard let range = pageRange(call[0], call[1]), task.space.mappings.overlaps(range) else { return }
    let protection = TraceProtection(rawValue: call[2] & 7)
    let space = task.space
    task.call = CallInProgress { [unowned self] result in
      guard result == 0 else { return }
      space.mappings.protect(range, protection)
      observer.didProtect(range, protection, task)
    }
  }

  func remapBegins(_ call: SystemCall, _ task: TracedTask) {
    let keepsOld = call[3] & 4 != 0  // MREMAP_DONTUNMAP
    // An old length of zero makes a second mapping of a shared file.
    let old = pageRange(call[0], max(call[1], 1))
    guard let old, let source = task.space.mappings.overlapping(old).first else { return }
    let duplicates = call[1] == 0
    if !duplicates { observer.willDrop(old, task) }
    if call[3] & 2 != 0, let target = pageRange(call[4], call[2]) { observer.willDrop(target, task) }  // MREMAP_FIXED
    let (length, space) = (call[2], task.space)
    task.call = CallInProgress { [unowned self] result in
      guard result >= 0 || result < -4095, let new = pageRange(UInt64(bitPattern: result), length) else { return }
      var mapping = source
      mapping.isWatched = false
      mapping.pages = new
      if duplicates || keepsOld {
        if keepsOld { observer.didDrop(old, unmapped: false, task) }
        space.mappings.insert(mapping)
        return observer.didMap(mapping, flags: mapping.isShared ? 1 : 2, task)
      }
      var parts = space.mappings.overlapping(old)
      space.mappings.remove(old)
      space.mappings.remove(new)
      // Only a single mapping can grow; several move as they are.
      if parts.count == 1 { parts = [mapping] } else { parts = parts.compactMap { moved($0, from: old, to: new) } }
      for part in parts { space.mappings.insert(part) }
      observer.didMove(old, to: new, task)
    }
  }

  private func moved(_ part: FileMapping, from old: Range<UInt64>, to new: Range<UInt64>) -> FileMapping? {
    var part = part
    let first = part.pages.lowerBound - old.lowerBound + new.lowerBound
    let end = min(first + UInt64(part.pages.count), new.upperBound)
    guard first < end else { return nil }
    part.pages = first..<end
    part.isWatched = false
    return part
  }
}
