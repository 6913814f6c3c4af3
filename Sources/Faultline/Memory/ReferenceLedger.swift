/// Who took and gave back references of a frame last: kept in debug builds only.
#if DEBUG

  import Synchronization

  /// The last eight changes of each frame's references, with the function that made them.
  ///
  /// `@unchecked Sendable`: raw memory of shared words. It is an observer, so it uses the standard library's atomics even
  /// where the engine's words are scheduling points.
  final class ReferenceLedger: @unchecked Sendable {
    private static let depth = 8
    private struct Event: ~Copyable {
      let function: Atomic<UInt64>
      let change: Atomic<Int64>
    }

    private let region: ReservedRegion
    private let cursors: ReservedRegion
    private let events: UnsafeMutablePointer<Event>
    private let next: UnsafeMutablePointer<Atomic<UInt64>>

    /// The frames whose ledger this is.
    private let frames: Range<UInt>

    /// The ledgers of all machines: a folio is a bare pointer and knows no machine.
    private static let all = Mutex<[Unmanaged<ReferenceLedger>]>([])

    init(frames base: FramePointer, frameCount: UInt64) throws(KernelError) {
      let eventBytes = Int(frameCount) * Self.depth * MemoryLayout<Event>.stride
      region = try ReservedRegion(byteCount: eventBytes, purpose: "the reference ledger")
      cursors = try ReservedRegion(byteCount: Int(frameCount) * 8, purpose: "the reference ledger")
      events = region.base.bindMemory(to: Event.self, capacity: Int(frameCount) * Self.depth)
      next = cursors.base.bindMemory(to: Atomic<UInt64>.self, capacity: Int(frameCount))
      frames = UInt(bitPattern: base)..<UInt(bitPattern: base + Int(frameCount))
      let this = Unmanaged.passUnretained(self)
      Self.all.withLock { $0.append(this) }
    }

    deinit {
      let this = Unmanaged.passUnretained(self).toOpaque()
      Self.all.withLock { ledgers in ledgers.removeAll { $0.toOpaque() == this } }
    }

    static func note(_ frame: FramePointer, _ change: Int64, by function: StaticString) {
      let address = UInt(bitPattern: frame)
      all.withLock { ledgers in
        for ledger in ledgers {
          ledger._withUnsafeGuaranteedRef {
            if $0.frames.contains(address) {
              $0.note(frame: Int(address - $0.frames.lowerBound) / MemoryLayout<Frame>.stride, change, by: function)
            }
          }
        }
      }
    }

    private func note(frame: Int, _ change: Int64, by function: StaticString) {
      let turn = Int(next[frame].wrappingAdd(1, ordering: .relaxed).oldValue % UInt64(Self.depth))
      let event = events + (frame * Self.depth + turn)
      event.pointee.function.store(UInt64(UInt(bitPattern: function.utf8Start)), ordering: .relaxed)
      event.pointee.change.store(change, ordering: .relaxed)
    }

    /// Oldest first: `+1 lookUp(_:)`.
    func history(frame: Int) -> [String] {
      let count = next[frame].load(ordering: .relaxed)
      let first = count > UInt64(Self.depth) ? count - UInt64(Self.depth) : 0
      return (first..<count).compactMap { turn in
        let event = events + (frame * Self.depth + Int(turn % UInt64(Self.depth)))
        guard
          let name = UnsafePointer<UInt8>(bitPattern: UInt(event.pointee.function.load(ordering: .relaxed)))
        else { return nil }
        let change = event.pointee.change.load(ordering: .relaxed)
        return "\(change > 0 ? "+" : "")\(change) \(String(cString: name))"
      }
    }
  }

#endif
