import Faultline
import Glibc
import Synchronization

/// A device in memory that writes down every store, flush, fence and note, for whoever wants to know what a crash may
/// leave.
///
/// It loses nothing by itself. Threads are recorded in the order in which their calls came to be; a recording is the
/// same each time as long as that order is.
///
/// `@unchecked Sendable`: the bytes are raw memory whose users order their accesses; everything else never changes or
/// is behind a lock.
public final class RecordingDevice: DAXDevice, @unchecked Sendable {
  public let pageCount: UInt64
  public let isSynchronous: Bool
  public let bytes: UnsafeMutableRawPointer
  private let memory: RAMDevice
  private let state: Mutex<State>

  fileprivate struct State {
    /// `nil` while nothing is recorded.
    var recording: DeviceRecording?
    /// Whether a page was ever stored to.
    var isTouched: [Bool]
    var threads: [UInt] = []
  }

  /// - Parameters:
  ///   - pageCount: pages of 4096 bytes, at least one; they read as zero.
  ///   - isSynchronous: `false` for a device that refuses MAP_SYNC.
  /// - Throws: `EINVAL` for no pages, `ENOMEM` when the host has no address space of that size.
  public init(pageCount: UInt64, isSynchronous: Bool = true) throws(KernelError) {
    memory = try RAMDevice(pageCount: pageCount, isSynchronous: isSynchronous)
    self.pageCount = pageCount
    self.isSynchronous = isSynchronous
    bytes = memory.bytes
    state = Mutex(State(isTouched: Array(repeating: false, count: Int(pageCount))))
  }

  /// Begins to record: what the device holds now is durable, and earlier events are forgotten.
  public func begin() {
    state.withLock { state in
      let touched = state.isTouched.indices.lazy.filter { [isTouched = state.isTouched] in isTouched[$0] }
      state.recording = DeviceRecording(start: DeviceImage(self, pages: touched.map { UInt64($0) }))
      state.threads.removeAll()
    }
  }

  /// What has happened since ``begin()``; `nil` before it. Later events are not recorded.
  public func end() -> DeviceRecording? {
    state.withLock { state in
      defer { state.recording = nil }
      return state.recording
    }
  }

  /// Events that have been recorded so far.
  public var eventCount: Int { state.withLock { $0.recording?.events.count ?? 0 } }

  public func store(_ source: UnsafeRawBufferPointer, at offset: UInt64) {
    guard !source.isEmpty else { return }
    state.withLock { state in
      memory.store(source, at: offset)
      let range = offset..<offset + UInt64(source.count)
      state.touch(range)
      state.recording?.append(source, range)
    }
  }

  public func zero(_ range: Range<UInt64>) {
    guard !range.isEmpty else { return }
    state.withLock { state in
      memory.zero(range)
      state.touch(range)
      state.recording?.events.append(.store(range, data: nil))
    }
  }

  public func flush(_ range: Range<UInt64>) {
    guard !range.isEmpty else { return }
    let caller = pthread_self()
    state.withLock { state in
      let thread = state.thread(caller)
      state.recording?.events.append(.flush(range, thread: thread))
    }
  }

  public func fence() throws(DeviceError) {
    let caller = pthread_self()
    state.withLock { state in
      let thread = state.thread(caller)
      state.recording?.events.append(.fence(thread: thread))
    }
  }

  public func note(_ point: DevicePoint) {
    state.withLock { $0.recording?.events.append(.note(point)) }
  }
}

extension RecordingDevice.State {
  fileprivate mutating func touch(_ range: Range<UInt64>) {
    for page in range.lowerBound >> PageSize.shift...(range.upperBound - 1) >> PageSize.shift {
      isTouched[Int(page)] = true
    }
  }

  /// A thread's number: addresses would differ from run to run.
  fileprivate mutating func thread(_ thread: pthread_t) -> Int {
    if let known = threads.firstIndex(of: UInt(thread)) { return known }
    threads.append(UInt(thread))
    return threads.count - 1
  }
}

extension DeviceRecording {
  fileprivate mutating func append(_ source: UnsafeRawBufferPointer, _ range: Range<UInt64>) {
    events.append(.store(range, data: data.count))
    data.append(contentsOf: source)
  }
}
