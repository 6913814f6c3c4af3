import Faultline
import FaultlineFS

/// A stage's device: passes everything on to another, and lets something happen in the middle of a commit.
///
/// `@unchecked Sendable`: what changes is set by the stage's thread while no other thread runs.
final class StageDevice: DAXDevice, @unchecked Sendable {
  private let base: any DAXDevice
  let pageCount: UInt64
  let isSynchronous: Bool
  let bytes: UnsafeMutableRawPointer
  /// Entries that let stores through, so far.
  private(set) var entryCount = 0
  /// Called once, on the thread that commits, when a commit has come to this step.
  private var interruption: (step: String, action: () -> Void)?

  init(_ base: any DAXDevice) {
    self.base = base
    pageCount = base.pageCount
    isSynchronous = base.isSynchronous
    bytes = base.bytes
  }

  func interrupt(at step: String, _ action: @escaping () -> Void) { interruption = (step, action) }

  func store(_ source: UnsafeRawBufferPointer, at offset: UInt64) { base.store(source, at: offset) }
  func zero(_ range: Range<UInt64>) { base.zero(range) }
  func flush(_ range: Range<UInt64>) { base.flush(range) }
  func fence() throws(DeviceError) { try base.fence() }

  func note(_ point: DevicePoint) {
    base.note(point)
    switch point {
    case .writableEntry: entryCount += 1
    case .commit(let step, _):
      guard let interruption, interruption.step == step else { return }
      self.interruption = nil
      interruption.action()
    case .operation: break
    }
  }
}

/// Counts what a recovery changes on a device that was recovered before. The log's head tells of every mount.
///
/// `@unchecked Sendable`: used by one thread; the protocol asks for it.
final class SettledDevice: DAXDevice, @unchecked Sendable {
  private let base: any DAXDevice
  private let free: Range<UInt64>
  let pageCount: UInt64
  let isSynchronous: Bool
  let bytes: UnsafeMutableRawPointer
  /// The first byte that was changed.
  private(set) var firstChange: UInt64?

  /// - Parameter free: bytes that may change.
  init(_ base: any DAXDevice, free: Range<UInt64>) {
    self.base = base
    self.free = free
    pageCount = base.pageCount
    isSynchronous = base.isSynchronous
    bytes = base.bytes
  }

  func store(_ source: UnsafeRawBufferPointer, at offset: UInt64) {
    let there = UnsafeRawBufferPointer(start: bytes + Int(offset), count: source.count)
    if !there.elementsEqual(source) { note(change: offset) }
    base.store(source, at: offset)
  }

  func zero(_ range: Range<UInt64>) {
    let there = UnsafeRawBufferPointer(start: bytes + Int(range.lowerBound), count: range.count)
    if there.contains(where: { $0 != 0 }) { note(change: range.lowerBound) }
    base.zero(range)
  }

  private func note(change offset: UInt64) {
    if firstChange == nil, !free.contains(offset) { firstChange = offset }
  }

  func flush(_ range: Range<UInt64>) { base.flush(range) }
  func fence() throws(DeviceError) { try base.fence() }
}
