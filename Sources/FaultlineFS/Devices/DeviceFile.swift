import CLinux
import Faultline
import Glibc

/// The descriptor and the mapping of a file that is a device, held and locked until its owner goes.
final class DeviceFile {
  let path: String
  let pageCount: UInt64
  let base: UnsafeMutableRawPointer
  /// Whether the host keeps MAP_SYNC's promise for it: flushed lines are durable without a call.
  let isHostSynchronous: Bool
  private let descriptor: Int32

  /// Opens what is there, or makes a file of zeroes of `newPageCount` pages.
  init(_ path: String, access: FileDevice.Access, newPageCount: UInt64? = nil) throws(DeviceFileError) {
    let isPrivate = access == .inspect
    let flags = (isPrivate ? O_RDONLY : O_RDWR) | O_CLOEXEC | (newPageCount == nil ? 0 : O_CREAT | O_EXCL)
    let opened = open(path, flags, 0o644)
    guard opened >= 0 else { throw .host(newPageCount == nil ? "open" : "create", path) }
    do throws(DeviceFileError) {
      try Self.lock(opened, isShared: isPrivate, path)
      if let newPageCount { try Self.extend(opened, to: newPageCount, path) }
      let size = try Self.size(of: opened, path)
      if !isPrivate { try Self.fillHoles(opened, size, path) }
      pageCount = size >> PageSize.shift
      (base, isHostSynchronous) = try Self.map(opened, size, isPrivate: isPrivate, path)
    } catch {
      close(opened)
      if newPageCount != nil, error.code != .exists { unlink(path) }
      throw error
    }
    descriptor = opened
    self.path = path
  }

  deinit {
    munmap(base, Int(pageCount << PageSize.shift))
    close(descriptor)
  }

  /// Whether the file still has every page that is mapped: a touch of one that it has lost would end this process.
  var isWhole: Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return false }
    return status.st_mode & S_IFMT == S_IFBLK || UInt64(status.st_size) >> PageSize.shift >= pageCount
  }

  /// Hands pages to the host and waits until its medium has them. 0 or an error number.
  func writeOut(_ pages: Range<UInt64>) -> Int32 {
    msync(base + Int(pages.lowerBound << PageSize.shift), Int(UInt64(pages.count) << PageSize.shift), MS_SYNC) == 0
      ? 0 : errno
  }

  private static func lock(_ descriptor: Int32, isShared: Bool, _ path: String) throws(DeviceFileError) {
    guard flock(descriptor, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 else { return }
    guard errno == EWOULDBLOCK else { throw .host("lock", path) }
    throw DeviceFileError(.inUse, path, errno: errno, "\(path) is open as a device elsewhere; close it there first")
  }

  private static func extend(_ descriptor: Int32, to pageCount: UInt64, _ path: String) throws(DeviceFileError) {
    guard pageCount > 0, pageCount <= UInt64(Int64.max) >> PageSize.shift else {
      throw DeviceFileError(.notWholePages, path, "\(path) cannot have \(pageCount) pages; a device has at least one")
    }
    guard ftruncate(descriptor, off_t(pageCount << PageSize.shift)) == 0 else { throw .host("extend", path) }
  }

  /// Bytes of the file or block device.
  private static func size(of descriptor: Int32, _ path: String) throws(DeviceFileError) -> UInt64 {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .host("look at", path) }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG || kind == S_IFBLK else {
      throw DeviceFileError(.notAFile, path, "\(path) is neither a regular file nor a block device")
    }
    let end = kind == S_IFBLK ? lseek(descriptor, 0, SEEK_END) : status.st_size
    guard end >= 0 else { throw .host("measure", path) }
    let size = UInt64(end)
    guard size > 0, size & (PageSize.bytes - 1) == 0 else {
      throw DeviceFileError(
        .notWholePages, path, "\(path) has \(size) bytes; a device has whole pages of \(PageSize.bytes), at least one")
    }
    return size
  }

  /// A store to a hole of a full disk would end this process, so the space is taken now. Where the host cannot, it
  /// stays so.
  private static func fillHoles(_ descriptor: Int32, _ size: UInt64, _ path: String) throws(DeviceFileError) {
    let result = cl_fill_holes(descriptor, Int64(size))
    guard [ENOSPC, EDQUOT, EFBIG].contains(-result) else { return }
    throw .host("take \(size >> 20) MiB of disk for", path, -result)
  }

  private static func map(
    _ descriptor: Int32, _ size: UInt64, isPrivate: Bool, _ path: String
  ) throws(DeviceFileError) -> (UnsafeMutableRawPointer, Bool) {
    let protection = PROT_READ | PROT_WRITE
    let attempts: [(flags: Int32, isSynchronous: Bool)] =
      isPrivate
      ? [(MAP_PRIVATE | MAP_NORESERVE, false)]
      : FlushInstruction.ofThisProcessor == nil
        ? [(MAP_SHARED, false)] : [(Int32(MAP_SHARED_VALIDATE) | MAP_SYNC, true), (MAP_SHARED, false)]
    for attempt in attempts {
      if let base = mmap(nil, Int(size), protection, attempt.flags, descriptor, 0), base != MAP_FAILED {
        return (base, attempt.isSynchronous)
      }
    }
    throw .host("map", path)
  }
}
