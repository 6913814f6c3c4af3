import Faultline
import FaultlineFS
import Synchronization

/// A device in memory whose fences fail from some fence on.
///
/// `@unchecked Sendable`: it only counts beside what it wraps.
final class FailingDevice: DAXDevice, @unchecked Sendable {
  private let inner: RAMDevice
  private let fencesLeft: Atomic<Int>

  init(pageCount: UInt64, fences: Int = .max) throws {
    inner = try RAMDevice(pageCount: pageCount)
    fencesLeft = Atomic(fences)
  }

  func failAfter(fences: Int) { fencesLeft.store(fences, ordering: .relaxed) }

  var pageCount: UInt64 { inner.pageCount }
  var isSynchronous: Bool { true }
  var bytes: UnsafeMutableRawPointer { inner.bytes }
  func store(_ source: UnsafeRawBufferPointer, at offset: UInt64) { inner.store(source, at: offset) }
  func zero(_ range: Range<UInt64>) { inner.zero(range) }
  func flush(_ range: Range<UInt64>) {}

  func fence() throws(DeviceError) {
    guard fencesLeft.wrappingSubtract(1, ordering: .relaxed).oldValue > 0 else { throw DeviceError("no more fences") }
  }
}

/// The first error of several threads.
final class FailureCount: Sendable {
  private let error = Mutex<String?>(nil)

  var first: String? { error.withLock { $0 } }

  func catching(_ body: () throws -> Void) {
    do { try body() } catch { self.error.withLock { [text = "\(error)"] in $0 = $0 ?? text } }
  }
}
