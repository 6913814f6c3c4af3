import Faultline
import FaultlineCheck

/// A log of words in persistent memory, as a program would write it: first the word, then the count that makes it valid.
///
/// Word 0 of the device is the count; the words follow from the second line on.
struct PersistentLog {
  /// Mistakes that only a crash shows.
  enum Mistake: CaseIterable {
    /// The word is not flushed before it is counted.
    case forgetsFlush
    /// The count may become durable before the word that it counts.
    case forgetsFence
    /// What append has returned for may still be lost.
    case returnsEarly
  }

  static let firstWord: UInt64 = 64

  let device: any DAXDevice
  var mistake: Mistake?

  var words: [UInt64] {
    let room = (device.byteCount - Self.firstWord) / 8
    return (0..<min(load(0), room)).map { load(Self.firstWord + $0 * 8) }
  }

  func append(_ word: UInt64) throws {
    let count = load(0)
    let place = Self.firstWord + count * 8
    store(word, at: place)
    if mistake != .forgetsFlush { device.flush(place..<place + 8) }
    if mistake != .forgetsFence { try device.fence() }
    store(count + 1, at: 0)
    device.flush(0..<8)
    if mistake != .returnsEarly { try device.fence() }
  }

  private func load(_ offset: UInt64) -> UInt64 {
    device.bytes.load(fromByteOffset: Int(offset), as: UInt64.self)
  }

  private func store(_ word: UInt64, at offset: UInt64) {
    withUnsafeBytes(of: word) { device.store($0, at: offset) }
  }
}

/// What the log's users rely on.
struct LogScenario: CrashScenario {
  /// A word that is being appended, or is there for good.
  enum Promise: CustomStringConvertible {
    case appending(UInt64)
    case appended(UInt64)

    var description: String {
      switch self {
      case .appending(let word): "append \(word) begins"
      case .appended(let word): "append \(word) has returned"
      }
    }
  }

  var name: String { "log" }
  var summary: String { "appends words to a log" }
  var pageCount: UInt64 { 1 }
  var appends: UInt64 = 4
  var mistake: PersistentLog.Mistake?

  func prepare(_ device: any DAXDevice) throws {}

  func run(_ recorder: CrashRecorder<Promise>) throws {
    let log = PersistentLog(device: recorder.device, mistake: mistake)
    for word in 1...appends {
      recorder.promise(.appending(word * 100))
      try log.append(word * 100)
      recorder.promise(.appended(word * 100))
    }
  }

  func check(_ device: any DAXDevice, at moment: CrashMoment<Promise>) throws -> [String] {
    var done: [UInt64] = []
    var begun: [UInt64] = []
    for promise in moment.promises {
      switch promise {
      case .appending(let word): begun.append(word)
      case .appended(let word): done.append(word)
      }
    }
    let found = PersistentLog(device: device).words
    return found == done || found == begun ? [] : ["the log has \(found); it should have \(done) or \(begun)"]
  }

  func place(of offset: UInt64) -> String? {
    offset < 8 ? "the count" : "word \((offset - PersistentLog.firstWord) / 8)"
  }
}
