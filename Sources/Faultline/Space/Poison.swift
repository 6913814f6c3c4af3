/// Memory that failed: its frame is taken out of use, and whoever would miss what was in it is told at the next access.
/// Kernel: `memory_failure`.
///
/// Laws
/// 1. One page fails, never its neighbours: what is mapped 2 MiB at once is mapped by pages from then on, of which one
///    is a marker. A folio of a file is split so that the page fails alone.
/// 2. A folio that cannot be split stays whole, and where it is. It is never mapped as a whole again, and its frames
///    are not handed out again when it goes.
/// 3. No entry maps a frame that failed.

/// What became of a page whose memory failed.
public enum PoisonOutcome: Sendable, Hashable {
  /// Nothing was in that memory.
  case unused
  /// It had failed before.
  case known
  /// What it held can be read again; nobody is told.
  case dropped
  /// What it held is nowhere else: every program that had it mapped gets ``Signal/bus(_:)`` with `mceErrAR` when it
  /// touches it again.
  case lost
}

extension AddressSpace {
  /// The memory under an address fails: the file's page, or private memory of this and of every address space that
  /// shares it. The zero pages do not fail.
  @discardableResult
  public func poison(_ address: VirtualAddress) -> PoisonOutcome {
    guard let (folio, frame) = heldPage(at: address.page) else { return .unused }
    folio.lock()
    let file = folio.file
    let page = folio.index &+ UInt64(frame - folio.head)
    folio.unlock()
    guard let file else {
      defer { folio.put(to: machine.memory) }
      return folio.isPrivate ? machine.poisonPrivate(folio, frame) : .unused
    }
    // A reference of ours would keep the folio from being split.
    folio.put(to: machine.memory)
    return file.poison(page: page)
  }

  /// The page that is mapped at `page`, with a reference on its folio.
  private func heldPage(at page: UInt64) -> (folio: Folio, frame: FramePointer)? {
    let held = table.withEntry(ofPage: page) { pointer -> (folio: Folio, frame: FramePointer)? in
      let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
      guard entry.isPresent, !entry.isSpecial else { return nil }
      let frame = machine.memory.frame(entry.single(page).frame)
      let folio = Folio(of: frame)
      folio.get()
      return (folio, frame)
    }
    return held ?? nil
  }
}

extension Machine {
  /// Frames that are out of use for good.
  public var poisonedFrames: UInt64 { UInt64(retired.frames.count) }

  /// Keeps a folio from ever being handed out again, by a reference that nobody gives back.
  func retire(_ folio: Folio) {
    folio.get()
    retired.add(memory.number(of: folio.head).rawValue, count: folio.pageCount)
  }

  /// Private memory has no way back to its entries: all are looked at.
  fileprivate func poisonPrivate(_ folio: Folio, _ frame: FramePointer) -> PoisonOutcome {
    let wasWhole = !folio.hasPoison
    guard folio.poison(frame) else { return .known }
    if wasWhole { retire(folio) }
    for space in census.allSpaces {
      if folio.order > 0 { space.splitHuge(mapping: folio) }
      space.table.forEachEntry(in: 0..<VirtualAddress.end.page) { _, pointer in
        let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
        guard entry.isPresent, !entry.isSpecial, !entry.isHuge, memory.frame(entry.frame) == frame else { return }
        pointer.pointee.store(PageTableEntry.poisonMarker.rawValue, ordering: .releasing)
        giveUp(entry, of: space.table)
      }
    }
    return .lost
  }
}

extension AddressSpace {
  /// Splits every huge entry that maps `folio`.
  fileprivate func splitHuge(mapping folio: Folio) {
    var pages: [UInt64] = []
    table.forEachEntry(in: 0..<VirtualAddress.end.page) { page, pointer in
      let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
      if entry.isPresent, entry.isHuge, machine.memory.frame(entry.frame) == folio.head { pages.append(page) }
    }
    for page in pages {
      if let middle = table.middle(forPage: page) { splitHuge(at: middle) }
    }
  }
}

extension Folio {
  /// Whether the memory of any of its pages failed.
  var hasPoison: Bool { contains(order == 0 ? .poisoned : .hasPoisoned) }

  /// Notes that the memory of `frame`, a page of it, failed; `false` when that was known.
  func poison(_ frame: FramePointer) -> Bool {
    guard Folio(head: frame).insert(.poisoned) else { return false }
    if order > 0 { insert(.hasPoisoned) }
    return true
  }
}

/// The frames that failed, by number. Any thread may use it.
///
/// `@unchecked Sendable`: the list is guarded by `lock`.
final class RetiredFrames: @unchecked Sendable {
  private let lock = SpinLock()
  private var numbers: [UInt64] = []

  func add(_ first: UInt64, count: UInt64) {
    lock.withLock { numbers += first..<first + count }
  }

  var frames: [UInt64] { lock.withLock { numbers } }
}
