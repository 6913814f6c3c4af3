import CLinux
import Glibc

/// A file whose page cache is prepared and looked at around a run.
final class ChosenFile: Sendable {
  let path: String
  let device: UInt64
  let inode: UInt64
  private let descriptor: Int32

  /// - Throws: ``RecordError/notOwnedOrWritable(path:)`` when nothing could be seen of it.
  init(_ path: String) throws(RecordError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
      throw .cacheState(path: path, what: "cannot be opened: \(systemErrorText(errno))")
    }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    guard Residency.isTold(descriptor, status) else { throw .notOwnedOrWritable(path: path) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func isSame(as other: ChosenFile) -> Bool { device == other.device && inode == other.inode }

  /// Resident pages now.
  func resident() throws(RecordError) -> [TraceRun] {
    guard let runs = Residency.runs(descriptor, bytes: try bytes()) else {
      throw .cacheState(path: path, what: "its page cache cannot be seen: \(systemErrorText(errno))")
    }
    return runs
  }

  /// Resident pages once nothing is on its way any more.
  ///
  /// The kernel may still be reading ahead when the program ends: such pages are in the cache, and no sooner resident than
  /// they have arrived.
  func settled() throws(RecordError) -> [TraceRun] {
    var runs = try resident()
    for _ in 0..<500 where isBeingRead(Residency.count(runs)) {
      usleep(2000)
      runs = try resident()
    }
    return runs
  }

  /// Whether the cache holds more than the resident pages. A kernel that does not count its cache cannot say, so no.
  private func isBeingRead(_ resident: Int) -> Bool { cl_cached_pages(descriptor, 0, 0) > Int64(resident) }

  func prepare(_ cache: KernelRun.Cache) throws(RecordError) {
    switch cache {
    case .asIs: return
    case .cold: try drop()
    case .warm: try readIn()
    }
  }

  /// A page under write-back, being read or in somebody's hands stays for a moment, so more than one attempt is normal.
  private func drop() throws(RecordError) {
    var left = 0
    for attempt in 0..<50 {
      if attempt > 0 { usleep(10_000) }
      fsync(descriptor)
      posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
      left = Residency.count(try resident())
      if left == 0, !isBeingRead(0) { return }
    }
    throw .cacheState(
      path: path,
      what:
        "\(left) pages stay in the page cache: some program maps or locks them, or the file system has no disk below it"
    )
  }

  private func readIn() throws(RecordError) {
    let pageSize = UInt64(getpagesize())
    let total = try bytes()
    let pages = Int((total + pageSize - 1) / pageSize)
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    for _ in 0..<3 {
      var offset: UInt64 = 0
      while offset < total {
        let count = pread(descriptor, &buffer, buffer.count, off_t(offset))
        guard count > 0 else { break }
        offset += UInt64(count)
      }
      if Residency.count(try resident()) == pages { return }
    }
    throw .cacheState(path: path, what: "does not fit into the page cache as a whole")
  }

  private func bytes() throws(RecordError) -> UInt64 {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .cacheState(path: path, what: systemErrorText(errno)) }
    return UInt64(max(0, status.st_size))
  }
}
