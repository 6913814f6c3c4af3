import Faultline

/// Everything that happened to a device, in order, from a known image on.
public struct DeviceRecording: Sendable {
  /// One thing that happened. Ranges are bytes of the device.
  public enum Event: Sendable, Hashable {
    /// Bytes were stored; `data` is where they begin in ``DeviceRecording/data``, `nil` for zeroes.
    case store(Range<UInt64>, data: Int?)
    /// A thread, by the order of its first appearance, began to write back the lines of a range.
    case flush(Range<UInt64>, thread: Int)
    /// A thread waited for what it had flushed.
    case fence(thread: Int)
    /// A moment that is none of these.
    case note(DevicePoint)
  }

  /// What was durable when the recording began.
  public let start: DeviceImage
  public internal(set) var events: [Event] = []
  /// The bytes of all stores that were not of zeroes.
  public internal(set) var data: [UInt8] = []

  init(start: DeviceImage) { self.start = start }
}
