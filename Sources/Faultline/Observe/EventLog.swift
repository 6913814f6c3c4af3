/// What the engine did, kept in a ring: the newest events, and how many older ones it had no room for.
///
/// Off until ``start(capacity:)``; while it is off each place that would note something costs one load and one branch.
/// Any thread may use it.
///
/// `@unchecked Sendable`: `isOn` is a shared word, everything else is guarded by `lock`.
public final class EventLog: @unchecked Sendable {
  private let lock = SpinLock()
  private let isOn = AtomicWord(0)
  private var events: [EngineEvent] = []
  private var capacity = 0
  /// Where the next event goes once the ring is full.
  private var next = 0
  private var overwritten: UInt64 = 0

  /// Notes events from now on, at most the newest `capacity`; what was noted before is forgotten.
  public func start(capacity: Int = 1 << 16) {
    lock.withLock {
      self.capacity = max(1, capacity)
      forget()
    }
    isOn.store(1, ordering: .releasing)
  }

  public func stop() { isOn.store(0, ordering: .releasing) }

  /// The events since the last call, oldest first, and how many before them were overwritten.
  public func drain() -> (events: [EngineEvent], overwritten: UInt64) {
    lock.withLock {
      let result = (events: Array(events[next...] + events[..<next]), overwritten: overwritten)
      forget()
      return result
    }
  }

  /// For places where finding out what to note is work of its own.
  @inline(__always)
  var isListening: Bool { isOn.load(ordering: .relaxed) != 0 }

  @inline(__always)
  func note(_ event: @autoclosure () -> EngineEvent) {
    if isListening { keep(event()) }
  }

  @inline(never)
  private func keep(_ event: EngineEvent) {
    lock.withLock {
      if events.count < capacity {
        events.append(event)
      } else {
        events[next] = event
        next = (next + 1) % capacity
        overwritten += 1
      }
    }
  }

  private func forget() {
    events.removeAll(keepingCapacity: true)
    next = 0
    overwritten = 0
  }
}

extension EngineEvent {
  /// A fault, before anything was done about it.
  init(fault page: UInt64, _ access: Access, from origin: AccessOrigin, _ entry: PageTableEntry) {
    self.init(origin == .program ? .userFault : .kernelFault, page: page)
    if entry.rawValue & PageTableEntry.presentBit != 0 { code |= 1 }
    if access == .write { code |= 2 }
    if origin == .program { code |= 4 }
    if access == .execute { code |= 16 }
  }

  /// A step of readahead, with the state that it starts from.
  init(_ kind: Kind, _ node: FileNode, page: UInt64, count: UInt64 = 0, _ state: ReadaheadPointer) {
    self.init(kind, file: node.number, page: page, count: count)
    order = state.pointee.order.load(ordering: .relaxed)
    window = Window(
      size: state.window.size, asyncSize: state.window.asyncSize, maximum: state.maximum,
      misses: state.pointee.misses.load(ordering: .relaxed),
      previousPosition: state.pointee.previousPosition.load(ordering: .relaxed))
  }

  /// A folio's way into the cache or out of it.
  init(_ kind: Kind, _ node: FileNode, _ folio: Folio) {
    self.init(kind, file: node.number, page: folio.index, count: folio.pageCount)
    order = folio.order
  }
}
