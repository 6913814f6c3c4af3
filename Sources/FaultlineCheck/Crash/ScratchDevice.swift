import Faultline
import FaultlineFS

/// The device on which surviving images are built, one after the other: it remembers what each of them changed.
///
/// `@unchecked Sendable`: used by one thread; the protocol asks for it.
final class ScratchDevice: DAXDevice, @unchecked Sendable {
  let pageCount: UInt64
  let isSynchronous = true
  let bytes: UnsafeMutableRawPointer
  private let memory: RAMDevice
  /// The round in which a line was last saved: saved lines of this round have been changed.
  private var savedIn: [UInt32]
  private var round: UInt32 = 1
  private var saved: [(line: UInt64, content: LineContent)] = []

  init(holding image: DeviceImage) throws(KernelError) {
    memory = try RAMDevice(pageCount: image.pageCount)
    pageCount = image.pageCount
    bytes = memory.bytes
    savedIn = Array(repeating: 0, count: Int(memory.byteCount >> CacheLine.shift))
    image.restore(on: memory)
  }

  /// Takes a line's bytes for good.
  func settle(_ content: LineContent, line: UInt64) { content.store(on: memory, line: line) }

  /// Undoes every store since the last time.
  func rollBack() {
    for (line, content) in saved { content.store(on: memory, line: line) }
    saved.removeAll(keepingCapacity: true)
    round &+= 1
    guard round == 0 else { return }
    for line in savedIn.indices { savedIn[line] = 0 }
    round = 1
  }

  func store(_ source: UnsafeRawBufferPointer, at offset: UInt64) {
    save(offset..<offset + UInt64(source.count))
    memory.store(source, at: offset)
  }

  func zero(_ range: Range<UInt64>) {
    save(range)
    memory.zero(range)
  }

  func flush(_ range: Range<UInt64>) {}

  func fence() throws(DeviceError) {}

  private func save(_ range: Range<UInt64>) {
    for line in CacheLine.lines(of: range) where savedIn[Int(line)] != round {
      savedIn[Int(line)] = round
      saved.append((line, LineContent(self, line: line)))
    }
  }
}
