import Faultline
import FaultlineFS

/// # Crash
///
/// What a crash may leave on a persistent device, and whether the promises made before it still hold.
///
/// A ``CrashScenario`` runs once on a ``RecordingDevice``. ``CrashExplorer`` then goes through the recording; a
/// ``VolatileLines`` knows at each point which stores are durable and which still wait in cache lines. Every set of
/// survivors that the device's rules allow becomes an image on a ``ScratchDevice``, on which the scenario looks for its
/// promises.
///
/// Laws:
/// 1. One scenario, one seed and one set of limits give the same images in the same order.
/// 2. An image is built from the durable one by its changed lines and undone by the lines that were stored to: nothing
///    here costs time in the size of the device.
/// 3. Nothing trusts an image: a check reports, it does not trap.

/// A persistent structure under test: how it is made, what a program does to it, and what must hold after a crash.
///
/// Its methods are called on one thread. ``check(_:at:)`` runs many times on different images.
public protocol CrashScenario: Sendable {
  /// Something that the structure has promised: that an operation began or is done, what a reader must find from now
  /// on.
  associatedtype Promise: Sendable

  /// How it is called on the command line and in reports.
  var name: String { get }
  /// What it does, in one line.
  var summary: String { get }
  /// Pages of 4096 bytes that the device has.
  var pageCount: UInt64 { get }

  /// Makes what is there before anything can be lost. Everything that it stores is durable.
  func prepare(_ device: any DAXDevice) throws
  /// What the program does; at any time in it the power may go.
  func run(_ recorder: CrashRecorder<Promise>) throws
  /// Recovers the structure from what a crash has left and looks for what was promised before it.
  ///
  /// - Parameter device: the surviving image. Stores to it are undone afterwards.
  /// - Returns: what is broken, a sentence each; nothing when all is well. A thrown error is one, too.
  func check(_ device: any DAXDevice, at moment: CrashMoment<Promise>) throws -> [String]
  /// Does what is done first after a crash, and nothing else: it may be cut off by another. Nothing, where the structure has
  /// no recovery.
  func recover(_ device: any DAXDevice) throws
  /// What lies at a byte of the device, for the story of a finding: `record 3`, `inode table`. `nil` for nothing to
  /// tell.
  func place(of offset: UInt64) -> String?
}

extension CrashScenario {
  public func recover(_ device: any DAXDevice) throws {}
  public func place(of offset: UInt64) -> String? { nil }
}

/// What had been promised when the power went.
public struct CrashMoment<Promise: Sendable>: Sendable {
  /// In the order in which they were made.
  public let promises: ArraySlice<Promise>
  /// The page-table entries that had been entered and let stores through, in order; each is a
  /// ``DevicePoint/writableEntry(inode:page:pages:devicePage:synchronous:)``.
  public let entries: ArraySlice<DevicePoint>
}

/// What a scenario runs on: a device, and a place to write down promises.
public final class CrashRecorder<Promise: Sendable> {
  public let device: RecordingDevice
  /// Each with the number of events before it.
  private(set) var promises: [(event: Int, promise: Promise)] = []

  init(_ device: RecordingDevice) { self.device = device }

  /// From now on a crash must respect this promise. Say so right after the call that makes it has returned; and before
  /// a call, where a reader may from then on find what it does.
  public func promise(_ promise: Promise) {
    // An event of its own keeps promises apart from the stores around them.
    device.note(.operation("\(promise)"))
    promises.append((device.eventCount, promise))
  }
}
