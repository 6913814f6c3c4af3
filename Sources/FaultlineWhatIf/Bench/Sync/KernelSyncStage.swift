import CLinux
import Faultline
import Glibc

/// The same first stores on the running kernel, where a file on persistent memory can be had.
struct KernelSyncStage: ~Copyable {
  private static let length = Int(SyncSetting.pages << PageSize.shift)
  /// MAP_SHARED_VALIDATE, and MAP_SYNC, which Glibc's module does not have.
  private static let sharedValidate: Int32 = 0x3
  private static let sync: Int32 = 0x80000

  private let path: String

  /// - Returns: `nil` when no file in `directory` can be mapped with MAP_SYNC; the file that was tried is gone.
  init?(directory: String) {
    self.init(anywhereIn: directory)
    guard let descriptor = try? newFile(.empty) else { return nil }
    defer { close(descriptor) }
    guard let base = Self.map(descriptor, isSynchronous: true) else { return nil }
    munmap(base, Self.length)
  }

  /// On any file system, for first stores without MAP_SYNC.
  init(anywhereIn directory: String) { path = "\(directory)/faultline-bench-sync-kernel.\(getpid())" }

  deinit { unlink(path) }

  /// Times the first store to each page of a new file.
  func round(_ contents: SyncSetting.Contents, isSynchronous: Bool) throws(SyncBenchError) -> LatencyHistogram {
    let descriptor = try newFile(contents)
    defer { close(descriptor) }
    guard let base = Self.map(descriptor, isSynchronous: isSynchronous) else { throw refused("cannot be mapped") }
    defer { munmap(base, Self.length) }
    // Single pages, as in the seed.
    madvise(base, Self.length, MADV_NOHUGEPAGE)
    var latencies = LatencyHistogram()
    for page in 0..<Int(SyncSetting.pages) {
      let start = monotonicNanoseconds()
      cl_store_byte(base + page << Int(PageSize.shift), 1)
      latencies.add(monotonicNanoseconds() - start)
    }
    return latencies
  }

  /// 2 MiB long, and durable as it is.
  private func newFile(_ contents: SyncSetting.Contents) throws(SyncBenchError) -> Int32 {
    let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw refused(String(cString: strerror(errno))) }
    let done =
      switch contents {
      case .empty: ftruncate(descriptor, Self.length) == 0
      case .fallocated: posix_fallocate(descriptor, 0, Self.length) == 0
      case .written:
        [UInt8](repeating: 0, count: Self.length).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
          == Self.length
      }
    guard done, fsync(descriptor) == 0 else {
      let reason = String(cString: strerror(errno))
      close(descriptor)
      throw refused(reason)
    }
    return descriptor
  }

  private func refused(_ reason: String) -> SyncBenchError { .directory(path, reason: reason) }

  private static func map(_ descriptor: Int32, isSynchronous: Bool) -> UnsafeMutableRawPointer? {
    let flags = sharedValidate | (isSynchronous ? sync : 0)
    let base = mmap(nil, length, PROT_READ | PROT_WRITE, flags, descriptor, 0)
    return base == MAP_FAILED ? nil : base
  }
}
