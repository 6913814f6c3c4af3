import Faultline
import FaultlineCheck
import FaultlineFS
import Synchronization

/// Bare stores, flushes and fences on two pages, whatever a test wants.
struct RawScenario: CrashScenario {
  /// Called by the body to say that what it promises holds from now on.
  typealias Promising = () -> Void

  let name = "raw"
  let summary = "stores, flushes and fences"
  let pageCount: UInt64 = 2
  private let body: @Sendable (RecordingDevice, Promising) throws -> Void
  private let isBroken: @Sendable (any DAXDevice, Bool) -> Bool

  /// - Parameter isBroken: gets the image, and whether the body had promised before the crash.
  init(
    _ body: @escaping @Sendable (RecordingDevice, Promising) throws -> Void,
    _ isBroken: @escaping @Sendable (any DAXDevice, Bool) -> Bool
  ) {
    self.body = body
    self.isBroken = isBroken
  }

  func prepare(_ device: any DAXDevice) throws {}

  func run(_ recorder: CrashRecorder<String>) throws {
    try body(recorder.device) { recorder.promise("durable") }
  }

  func check(_ device: any DAXDevice, at moment: CrashMoment<String>) throws -> [String] {
    isBroken(device, !moment.promises.isEmpty) ? ["broken"] : []
  }
}

extension DAXDevice {
  func put(_ word: UInt64, at offset: UInt64) { withUnsafeBytes(of: word) { store($0, at: offset) } }

  func word(_ offset: UInt64) -> UInt64 { bytes.load(fromByteOffset: Int(offset), as: UInt64.self) }
}

/// The images that a scenario was shown, by their first words.
final class SeenImages: Sendable {
  private let state = Mutex<Set<[UInt64]>>([])
  private let words: Int

  init(words: Int) { self.words = words }

  var images: Set<[UInt64]> { state.withLock { $0 } }

  func insert(_ device: any DAXDevice) {
    let image = (0..<words).map { device.word(UInt64($0) * 8) }
    state.withLock { _ = $0.insert(image) }
  }
}

/// One step of a drawn program on the first words of the device.
enum Step: Sendable {
  case store(word: Int, UInt64)
  /// Half an atom.
  case storeHalf(word: Int, UInt32)
  case flush(line: Int)
  case fence

  static let lines = 3

  static func draw(_ count: Int, seed: UInt64) -> [Step] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    func next(_ below: UInt64) -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return (state >> 20) % below
    }
    return (0..<count).map { _ in
      let line = Int(next(UInt64(lines)))
      let word = line * 8 + Int(next(2))
      switch next(8) {
      case 0...3: return .store(word: word, next(3) << 32 | next(3))
      case 4: return .storeHalf(word: word, UInt32(next(3)))
      case 5, 6: return .flush(line: line)
      default: return .fence
      }
    }
  }

  func apply(to device: any DAXDevice) throws {
    switch self {
    case .store(let word, let value): device.put(value, at: UInt64(word) * 8)
    case .storeHalf(let word, let value):
      withUnsafeBytes(of: value) { device.store($0, at: UInt64(word) * 8) }
    case .flush(let line): device.flush(UInt64(line) * 64..<UInt64(line) * 64 + 64)
    case .fence: try device.fence()
    }
  }
}

/// Every image that a crash may leave before, between and after some steps, by the device's rules in their plainest form.
struct PlainCrashes {
  private(set) var images: Set<[UInt64]> = []
  /// What each line held since it was last durable, oldest first; the first is durable.
  private var histories = [[[UInt64]]](repeating: [[UInt64](repeating: 0, count: 8)], count: Step.lines)
  /// Which of them the next fence makes durable.
  private var flushed = [Int](repeating: 0, count: Step.lines)

  init(_ steps: [Step]) {
    collect(0, [])
    for step in steps {
      switch step {
      case .store(let word, let value): change(word) { _ in value }
      case .storeHalf(let word, let value): change(word) { ($0 & ~0xFFFF_FFFF) | UInt64(value) }
      case .flush(let line): flushed[line] = histories[line].count - 1
      case .fence:
        for line in histories.indices {
          histories[line].removeFirst(flushed[line])
          flushed[line] = 0
        }
      }
      collect(0, [])
    }
  }

  private mutating func change(_ word: Int, _ value: (UInt64) -> UInt64) {
    guard var line = histories[word / 8].last else { return }
    line[word % 8] = value(line[word % 8])
    histories[word / 8].append(line)
  }

  private mutating func collect(_ line: Int, _ image: [UInt64]) {
    guard line < histories.count else {
      images.insert(image)
      return
    }
    for content in histories[line] { collect(line + 1, image + content) }
  }
}
