/// A persistent device whose bytes the processor reaches directly: what a file system with DAX lies on, and what mapped frames
/// of its files are. Kernel: `struct dax_device`; a DIMM of persistent memory, or CXL memory with a power reserve.
///
/// A store is visible at once and durable at any later time, or never: it waits in a cache line. What a thread has flushed is
/// durable when its next fence returns. Stores to one line become durable in their order, those to different lines in
/// any; 8 aligned bytes are never torn.
///
/// Any thread may use it. Who shares bytes with another thread orders the accesses himself, as with any memory.
public protocol DAXDevice: AnyObject, Sendable {
  /// Pages of 4096 bytes.
  var pageCount: UInt64 { get }
  /// Whether flush and fence by the processor make stores durable, so that files may be mapped with MAP_SYNC. `false` for one whose
  /// durability needs a call to a host. Kernel: `DAXDEV_SYNC`.
  var isSynchronous: Bool { get }
  /// The device's bytes, for loads: page-aligned, there as long as the device is. Every change goes through ``store(_:at:)`` or
  /// ``zero(_:)``, or its line is not known to be dirty.
  var bytes: UnsafeMutableRawPointer { get }

  /// Stores bytes. Offsets are bytes; the range lies within the device.
  func store(_ source: UnsafeRawBufferPointer, at offset: UInt64)
  /// Stores zeroes.
  func zero(_ range: Range<UInt64>)
  /// Begins to write back every cache line that the range touches. CLWB.
  func flush(_ range: Range<UInt64>)
  /// Returns when everything that this thread has flushed is durable. SFENCE.
  func fence() throws(DeviceError)
  /// The first of `pages` whose medium cannot be read. Kernel: bad blocks.
  func firstDamagedPage(in pages: Range<UInt64>) -> UInt64?
  /// Something happened between two stores that a crash must be tried at. Costs nothing on a device that does not record.
  func note(_ point: DevicePoint)
}

extension DAXDevice {
  public func firstDamagedPage(in pages: Range<UInt64>) -> UInt64? { nil }
  public func note(_ point: DevicePoint) {}

  /// Bytes of the device.
  public var byteCount: UInt64 { pageCount << PageSize.shift }

  /// Stores zeroes or bytes and makes them durable.
  public func persist(_ range: Range<UInt64>) throws(DeviceError) {
    flush(range)
    try fence()
  }
}

/// A moment that is no store, flush or fence and still divides what a crash may show.
public enum DevicePoint: Sendable, Hashable {
  /// A page-table entry was entered that lets stores through: `pages` of file `inode` lie at `devicePage` on.
  case writableEntry(inode: UInt64, page: UInt64, pages: UInt64, devicePage: UInt64, synchronous: Bool)
  /// A step of a commit of metadata, named as in the file system's own documentation.
  case commit(step: String, transaction: UInt64)
  /// An operation of a scenario begins or has returned.
  case operation(String)
}

/// A device that could not make durable what it was asked to.
public struct DeviceError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What failed and how, for a person to read.
  public let message: String

  public init(_ message: String) { self.message = message }

  public var description: String { message }
}
