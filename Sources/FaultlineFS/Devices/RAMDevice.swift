import CLinux
import Faultline
import Synchronization

/// A device in this process's memory: what is stored is durable at once, and gone with the process.
///
/// `@unchecked Sendable`: the bytes are raw memory whose users order their accesses; everything else never changes or
/// is behind a lock.
public final class RAMDevice: DAXDevice, @unchecked Sendable {
  public let pageCount: UInt64
  public let isSynchronous: Bool
  /// Whether flush and fence take the time that they take on persistent memory: each runs the processor's own
  /// instructions.
  public let usesInstructions: Bool
  public let bytes: UnsafeMutableRawPointer
  private let region: HostMapping
  private let damaged = Mutex<Range<UInt64>?>(nil)

  /// - Parameters:
  ///   - pageCount: pages of 4096 bytes, at least one; they read as zero and cost memory once they are stored to.
  ///   - isSynchronous: `false` for a device that refuses MAP_SYNC.
  ///   - usesInstructions: flush and fence run the instructions of a program on persistent memory, so that a
  ///   measurement has their cost. Without effect on a processor that has none.
  /// - Throws: `EINVAL` for no pages, `ENOMEM` when the host has no address space of that size.
  public init(pageCount: UInt64, isSynchronous: Bool = true, usesInstructions: Bool = false) throws(KernelError) {
    region = try HostMapping(pageCount: pageCount)
    self.pageCount = pageCount
    self.isSynchronous = isSynchronous
    self.usesInstructions = usesInstructions && FlushInstruction.ofThisProcessor != nil
    bytes = region.base
  }

  /// Makes the medium under these pages unreadable; `nil` for none.
  public func damage(_ pages: Range<UInt64>?) { damaged.withLock { $0 = pages } }

  public func store(_ source: UnsafeRawBufferPointer, at offset: UInt64) {
    UnsafeMutableRawBufferPointer(start: bytes + Int(offset), count: source.count).copyMemory(from: source)
  }

  public func zero(_ range: Range<UInt64>) {
    (bytes + Int(range.lowerBound)).initializeMemory(as: UInt8.self, repeating: 0, count: range.count)
  }

  public func flush(_ range: Range<UInt64>) {
    if usesInstructions { cl_flush_lines(bytes + Int(range.lowerBound), UInt64(range.count)) }
  }

  public func fence() throws(DeviceError) {
    if usesInstructions { cl_store_fence() }
  }

  public func firstDamagedPage(in pages: Range<UInt64>) -> UInt64? {
    guard let damaged = damaged.withLock({ $0 }), damaged.overlaps(pages) else { return nil }
    return max(damaged.lowerBound, pages.lowerBound)
  }
}
