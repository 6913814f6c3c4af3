import CLinux
import Faultline
import Synchronization

/// A device whose bytes are a file's on the host, or a block device's.
///
/// Where the host grants MAP_SYNC for it (a file on persistent memory), the processor's own instructions make stores
/// durable. Anywhere else a flushed line is only in the host's page cache, so that the fence has the host write out the
/// pages that were flushed.
///
/// The file is locked (`flock`) while it is a device. Who cuts it short all the same is told by the next fence, which
/// fails; a touch of a page that is gone ends the process, as with any mapping.
///
/// `@unchecked Sendable`: the bytes are raw memory whose users order their accesses; everything else never changes or
/// is behind a lock.
public final class FileDevice: DAXDevice, @unchecked Sendable {
  /// What may happen to the file.
  public enum Access: Sendable, Hashable {
    /// Stores reach the file; nobody else has it open as a device.
    case readWrite
    /// Stores stay in this process and are gone with the device, so that even a file system which must recover can be
    /// looked at. Several may.
    case inspect
  }

  public let pageCount: UInt64
  public let isSynchronous: Bool
  public let access: Access
  public let bytes: UnsafeMutableRawPointer
  /// Whether the host granted MAP_SYNC, so that a fence makes no system call.
  public var isHostSynchronous: Bool { file.isHostSynchronous }

  private let file: DeviceFile
  private let flushed = Mutex(PageList())
  /// Held while the host writes out: who finds the list empty waits here for what another thread took from it.
  private let failure = Mutex<DeviceError?>(nil)

  /// Opens a file that is there.
  ///
  /// - Parameter isSynchronous: whether files of a file system on it may be mapped with MAP_SYNC. `nil` for: if the
  ///   host granted it. `true` is right for programs that flush through this device, whose fence makes the host's calls
  ///   for them.
  /// - Throws: ``DeviceFileError``.
  public convenience init(
    _ path: String, access: Access = .readWrite, isSynchronous: Bool? = nil
  ) throws(DeviceFileError) {
    self.init(try DeviceFile(path, access: access), access, isSynchronous)
  }

  /// Makes a file of `pageCount` zero pages of 4096 bytes; the name must not be there yet.
  ///
  /// - Throws: ``DeviceFileError``; then the name is not there.
  public convenience init(
    creating path: String, pageCount: UInt64, isSynchronous: Bool? = nil
  ) throws(DeviceFileError) {
    self.init(try DeviceFile(path, access: .readWrite, newPageCount: pageCount), .readWrite, isSynchronous)
  }

  private init(_ file: DeviceFile, _ access: Access, _ isSynchronous: Bool?) {
    self.file = file
    self.access = access
    pageCount = file.pageCount
    bytes = file.base
    self.isSynchronous = isSynchronous ?? file.isHostSynchronous
  }

  public func store(_ source: UnsafeRawBufferPointer, at offset: UInt64) {
    UnsafeMutableRawBufferPointer(start: bytes + Int(offset), count: source.count).copyMemory(from: source)
  }

  public func zero(_ range: Range<UInt64>) {
    (bytes + Int(range.lowerBound)).initializeMemory(as: UInt8.self, repeating: 0, count: range.count)
  }

  public func flush(_ range: Range<UInt64>) {
    guard access == .readWrite, !range.isEmpty else { return }
    if file.isHostSynchronous {
      cl_flush_lines(bytes + Int(range.lowerBound), UInt64(range.count))
    } else {
      let pages = range.lowerBound >> PageSize.shift..<PageSize.pages(covering: range.upperBound)
      flushed.withLock { $0.insert(pages) }
    }
  }

  /// - Throws: ``DeviceError`` when the host could not write out, or the file has become shorter; every later fence
  ///   fails too, because nobody knows what the medium has.
  public func fence() throws(DeviceError) {
    guard access == .readWrite else { return }
    if file.isHostSynchronous { return cl_store_fence() }
    try failure.withLock { failure throws(DeviceError) in
      if failure == nil { failure = writeOut(flushed.withLock { $0.take() }) }
      if let failure { throw failure }
    }
  }

  private func writeOut(_ runs: [Range<UInt64>]) -> DeviceError? {
    guard !runs.isEmpty else { return nil }
    guard file.isWhole else {
      return DeviceError(
        "\(file.path) has become shorter than the device's \(pageCount) pages; restore it and open it again")
    }
    for run in runs {
      let number = file.writeOut(run)
      if number != 0 {
        return DeviceError(
          "the host could not write out pages \(run.lowerBound)-\(run.upperBound - 1) of \(file.path): error \(number)")
      }
    }
    return nil
  }
}

/// Pages that were flushed since the last fence.
private struct PageList {
  /// So many runs, and those that touch are joined: a program may flush for ever without a fence.
  private static let compactAt = 4096

  private var runs: [Range<UInt64>] = []

  mutating func insert(_ pages: Range<UInt64>) {
    // Programs flush line after line, so nearly all of them extend what came last.
    if let last = runs.last, pages.lowerBound <= last.upperBound, pages.upperBound >= last.lowerBound {
      runs[runs.count - 1] = min(last.lowerBound, pages.lowerBound)..<max(last.upperBound, pages.upperBound)
    } else {
      if runs.count == Self.compactAt { runs = take() }
      runs.append(pages)
    }
  }

  /// Every page once, in order; then there are none.
  mutating func take() -> [Range<UInt64>] {
    var merged: [Range<UInt64>] = []
    for run in runs.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, run.lowerBound <= last.upperBound {
        merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, run.upperBound)
      } else {
        merged.append(run)
      }
    }
    runs.removeAll(keepingCapacity: true)
    return merged
  }
}
