import CLinux
import Glibc

/// Opens of files that may come to be mapped.
///
/// Programs look into a file before they map it: a header, a page of metadata. That brings in pages and sets off readahead, but
/// no filter can tell beforehand which descriptor to stop at. So a thread that has opened such a file is followed from call to
/// call for a short while; then, or when a file is mapped, it runs at full speed again.
extension Tracer {
  /// Calls after an open that are looked at.
  private static let followedCalls = 50

  func openBegins(_ call: SystemCall, _ task: TracedTask) {
    guard observer.wantsFileReads, let status = mappableFile(call, task) else { return }
    let space = task.space
    task.call = CallInProgress(isExclusive: false) { [unowned self, unowned task] result in
      guard result >= 0 else { return }
      space.openFiles.forget(descriptor: Int32(truncatingIfNeeded: result), of: status)
      if followedCallsLeft > 0 { task.followedCalls = Self.followedCalls }
    }
  }

  /// Any call of a thread that is followed, at its entry.
  func followedCallBegins(_ task: TracedTask) {
    task.followedCalls -= 1
    followedCallsLeft -= 1
    if followedCallsLeft == 0 { for other in tasks.values { other.followedCalls = 0 } }
    if let call = SystemCall(task), call.isRead { readBegins(call, task) }
    resume(task)
  }

  /// What is opened, if it may be mapped. A smaller file fits one fault-around window, and a library has its header read by a
  /// loader that nobody asks about.
  private func mappableFile(_ call: SystemCall, _ task: TracedTask) -> stat? {
    let smallest = 16 << pageShift
    var status = stat()
    guard let path = openedPath(call, task), stat(path, &status) == 0, isPageCached(status),
      status.st_mode & S_IFMT == S_IFBLK || status.st_size >= smallest,
      !MappedFiles.isLibraryName(path.split(separator: "/").last ?? "")
    else { return nil }
    return status
  }

  /// The path that a call opens, as this process reaches it.
  private func openedPath(_ call: SystemCall, _ task: TracedTask) -> String? {
    let isRelativeToDescriptor = call.number == CL_CALL_OPENAT
    guard let path = text(at: call[isRelativeToDescriptor ? 1 : 0], of: task.process), !path.isEmpty else { return nil }
    if path.hasPrefix("/") { return "/proc/\(task.process)/root\(path)" }
    let folder = Int32(truncatingIfNeeded: call[0])
    let base = isRelativeToDescriptor && folder != AT_FDCWD ? "fd/\(folder)" : "cwd"
    return "/proc/\(task.process)/\(base)/\(path)"
  }

  /// Page by page, because looking at a page is a touch: none behind the text's own may be.
  private func text(at address: UInt64, of process: Int32) -> String? {
    let pageBytes = (1 as UInt64) << pageShift
    var text: [UInt8] = []
    while text.count < Int(PATH_MAX) {
      let from = address &+ UInt64(text.count)
      var part = [UInt8](repeating: 0, count: Int(pageBytes - from & (pageBytes - 1)))
      let count = cl_process_read(process, from, &part, part.count)
      guard count > 0 else { return nil }
      if let end = part[..<count].firstIndex(of: 0) { return String(decoding: text + part[..<end], as: UTF8.self) }
      text += part[..<count]
    }
    return nil
  }
}
