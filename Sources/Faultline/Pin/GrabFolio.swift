extension Folio {
  /// References that one pin of a folio of one page counts. Kernel: `GUP_PIN_COUNTING_BIAS`.
  static let pinBias: UInt64 = 1 << 10
  /// No folio is held more often than this: the rest of the counter's range is left for those that do not ask.
  private static let mostReferences: UInt64 = 1 << 31

  /// Takes hold of `count` pages of the folio that `frame` belongs to, in one step. Kernel: `try_grab_folio`.
  ///
  /// - Parameter count: pages from `frame` on; all of them in its folio.
  /// - Returns: `nil` when the frame is free, or held too often.
  @inline(__always)
  static func grab(
    _ frame: FramePointer, _ count: UInt64, _ kind: HoldKind, in memory: PhysicalMemory,
    _ caller: StaticString = #function
  ) -> Folio? {
    while true {
      let folio = Folio(of: frame)
      let order = folio.order
      let units = kind == .pin && order == 0 ? count &* pinBias : count
      guard folio.tryGet(units, caller) else { return nil }
      // Between the look and the step the folio may have been split, or freed and used anew.
      guard Folio(of: frame) == folio, folio.order == order else {
        folio.put(units, to: memory, caller)
        continue
      }
      if kind == .pin, order != 0 { folio.tail.pointee.previous.wrappingAdd(count, ordering: .relaxed) }
      return folio
    }
  }

  /// Gives back what ``grab(_:_:_:in:_:)`` took. Kernel: `gup_put_folio`.
  @inline(__always)
  func letGo(_ count: UInt64, _ kind: HoldKind, in memory: PhysicalMemory, _ caller: StaticString = #function) {
    guard kind == .pin else { return put(count, to: memory, caller) }
    guard order != 0 else { return put(count &* Self.pinBias, to: memory, caller) }
    tail.pointee.previous.wrappingSubtract(count, ordering: .releasing)
    put(count, to: memory, caller)
  }

  /// Takes `count` references at once unless the folio is free. Kernel: `folio_try_get`, with `try_get_folio`'s guard against overflow.
  @inline(__always)
  private func tryGet(_ count: UInt64, _ caller: StaticString) -> Bool {
    var seen = head.pointee.life.load(ordering: .relaxed)
    while true {
      let references = seen & Frame.referenceMask
      guard references != 0, references &+ count <= Self.mostReferences else { return false }
      let (exchanged, now) = head.pointee.life.weakCompareExchange(
        expected: seen, desired: seen &+ count &* Frame.referenceUnit, successOrdering: .acquiringAndReleasing,
        failureOrdering: .relaxed)
      if exchanged {
        note(Int64(count), caller)
        return true
      }
      seen = now
    }
  }

  /// Whether somebody may have pinned a page of the folio: exact for a folio of several pages, and true of one page with 1024
  /// references too. Kernel: `folio_maybe_dma_pinned`.
  var mayBePinned: Bool {
    order == 0 ? references >= Self.pinBias : tail.pointee.previous.load(ordering: .acquiring) != 0
  }
}
