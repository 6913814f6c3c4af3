import Synchronization

/// The progress line of a recording, which the recorder's own thread draws.
final class RecordingLine: Sendable {
  private let line = Mutex(ProgressLine())

  func show(touches: Int) {
    line.withLock { $0.show("recording: \(touches) first touches", fraction: nil) }
  }

  func wipe() { line.withLock { $0.wipe() } }
}
