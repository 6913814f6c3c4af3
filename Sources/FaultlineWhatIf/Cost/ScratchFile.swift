import CLinux
import Glibc

/// A file without a name on a chosen file system: it is gone when the value ends, and after a crash too.
struct ScratchFile: ~Copyable {
  static let pageBytes = 4096
  private static let tmpFileFlag: Int32 = 0o20_200_000  // O_TMPFILE, a macro that Swift does not import

  let descriptor: Int32
  let pages: Int
  let directory: String

  /// Makes the file in the first of `directories` that allows it, and fills it page by page, so that file systems with
  /// large folios cache it in single pages. Nil when none allows it.
  init?(pages: Int, in directories: [String]) {
    for directory in directories {
      let descriptor = ScratchFile.openNameless(in: directory)
      guard descriptor >= 0 else { continue }
      guard ScratchFile.fill(descriptor, pages: pages), fsync(descriptor) == 0 else {
        close(descriptor)
        continue
      }
      self.descriptor = descriptor
      self.pages = pages
      self.directory = directory
      return
    }
    return nil
  }

  deinit { close(descriptor) }

  static func openNameless(in directory: String) -> Int32 {
    let descriptor = open(directory, tmpFileFlag | O_RDWR | O_CLOEXEC, 0o600)
    if descriptor >= 0 || errno == ENOENT || errno == EACCES || errno == EROFS { return descriptor }
    var template = Array("\(directory)/.faultline-XXXXXX".utf8CString)
    let named = mkstemp(&template)
    if named >= 0 {
      unlink(template)
      _ = fcntl(named, F_SETFD, FD_CLOEXEC)
    }
    return named
  }

  private static func fill(_ descriptor: Int32, pages: Int) -> Bool {
    // Real data: a file system that compresses or keeps holes would otherwise have nothing to read.
    let page = (0..<pageBytes).map { UInt8(truncatingIfNeeded: $0 &* 0x9D &+ ($0 >> 8) &* 0x4F) }
    return (0..<pages).allSatisfy { _ in write(descriptor, page, pageBytes) == pageBytes }
  }

  /// Asks the page cache to forget pages that are clean.
  func drop(page: Int, count: Int) {
    posix_fadvise(descriptor, off_t(page * Self.pageBytes), off_t(count * Self.pageBytes), POSIX_FADV_DONTNEED)
  }

  /// How many of its pages are in the page cache.
  func residentPages() -> Int {
    guard let mapping = ScratchMapping(self) else { return 0 }
    var flags = [UInt8](repeating: 0, count: pages)
    guard mincore(mapping.base, pages * Self.pageBytes, &flags) == 0 else { return 0 }
    return flags.count { $0 & 1 == 1 }
  }
}

/// A shared read-only mapping of a whole scratch file, unmapped at the end.
struct ScratchMapping: ~Copyable {
  let base: UnsafeMutableRawPointer
  private let length: Int

  /// Maps at a multiple of 2 MiB, so that fault-around windows start at the file's first page.
  init?(_ file: borrowing ScratchFile) {
    let alignment = 2 << 20
    length = file.pages * ScratchFile.pageBytes
    guard let room = mmap(nil, length + alignment, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), room != MAP_FAILED
    else { return nil }
    let aligned = UnsafeMutableRawPointer(
      bitPattern: (UInt(bitPattern: room) + UInt(alignment) - 1) & ~UInt(alignment - 1))
    let head = aligned.map { $0 - room } ?? 0
    if head > 0 { munmap(room, head) }
    if head < alignment { munmap(room + head + length, alignment - head) }
    guard let aligned, mmap(aligned, length, PROT_READ, MAP_SHARED | MAP_FIXED, file.descriptor, 0) != MAP_FAILED else {
      if let aligned { munmap(aligned, length) }
      return nil
    }
    base = aligned
  }

  deinit { munmap(base, length) }

  /// Loads one byte of a page.
  func touch(page: Int) {
    _ = cl_load_byte(base + page * ScratchFile.pageBytes)
  }
}
