/// # Reclaim
///
/// Which cached folios were used lately, and how those that were not are given up when a machine holds more than it may.
///
/// Laws
/// 1. A folio of a file that has a store lies on exactly one list from the moment it enters the cache until it leaves it,
///    except while reclaim looks at it. Files that live in memory, and private memory, have nowhere to go: they lie on none.
/// 2. Being on a list holds no reference. Reclaim takes one before it looks, and only if the folio is not being freed.
/// 3. A folio goes only if nobody but its slots and reclaim itself refers to it, seen in one step that also keeps everybody
///    else from getting a reference.
/// 4. What is dirty is written, never dropped.
/// 5. What reclaim gives up leaves a shadow in its slot, by which a later reader knows how long it was away.
///
/// Lock order: a folio's lock is only tried; then tables (through the areas that map it), then the cache's slots. The list
/// lock is innermost and never held while any of them is taken.
///
/// This folder calls `Cache/`, `Space/` (the areas of a file), `Tables/`, `Memory/` and `Sync/`.

/// The two lists of cached file folios, most recently added first. Kernel: `lruvec`, `LRU_ACTIVE_FILE`, `LRU_INACTIVE_FILE`.
///
/// `@unchecked Sendable`: everything is guarded by `lock`; the counts may be read without it.
final class LRULists: @unchecked Sendable {
  enum List: Sendable {
    case active, inactive
  }

  private struct Ends {
    var first: FramePointer?
    var last: FramePointer?
  }

  private let lock = SpinLock()
  private var activeEnds = Ends()
  private var inactiveEnds = Ends()
  private let activeWord = AtomicWord(0)
  private let inactiveWord = AtomicWord(0)
  /// Pages that were evicted or became active so far: the clock by which shadows are dated. Kernel: `nonresident_age`.
  private let ageWord = AtomicWord(0)

  var activePages: UInt64 { activeWord.load(ordering: .relaxed) }
  var inactivePages: UInt64 { inactiveWord.load(ordering: .relaxed) }
  var age: UInt64 { ageWord.load(ordering: .relaxed) }

  /// Says that `pages` pages were evicted or became active; gives the time before that.
  @discardableResult
  func advance(by pages: UInt64) -> UInt64 { ageWord.wrappingAdd(pages, ordering: .relaxed).oldValue }

  /// Puts a folio at the head of the list that its flags name, unless it has left its cache while reclaim looked at it:
  /// nobody would take it off again before its frames are freed.
  func add(_ folio: Folio) {
    lock.lock()
    defer { lock.unlock() }
    guard folio.isInFile else { return }
    folio.insert(.onList)
    link(folio)
  }

  /// Takes a folio off its list; nothing when it lies on none.
  func remove(_ folio: Folio) {
    lock.lock()
    if folio.remove(.onList) { unlink(folio) }
    lock.unlock()
  }

  /// Moves a folio to the head of the active list; nothing when it lies on none. Kernel: `folio_activate`.
  ///
  /// - Returns: whether it became active by this.
  @discardableResult
  func activate(_ folio: Folio) -> Bool {
    // A look before the lock, which all threads share: most folios that are used again are active already or on no list.
    guard isOnInactiveList(folio) else { return false }
    lock.lock()
    defer { lock.unlock() }
    guard isOnInactiveList(folio) else { return false }
    unlink(folio)
    folio.insert(.active)
    link(folio)
    return true
  }

  private func isOnInactiveList(_ folio: Folio) -> Bool { folio.contains(.onList) && !folio.contains(.active) }

  /// Moves a folio to the head of the inactive list; nothing when it lies on none. Kernel: `folio_deactivate`.
  func deactivate(_ folio: Folio) {
    lock.lock()
    defer { lock.unlock() }
    guard folio.contains(.onList), folio.contains(.active) else { return }
    unlink(folio)
    folio.remove(.active)
    link(folio)
  }

  /// Takes the folio at the tail of a list for a look, with a reference; `nil` when the list is empty.
  func isolateTail(of list: List) -> FolioReference? {
    lock.lock()
    defer { lock.unlock() }
    var next = list == .active ? activeEnds.last : inactiveEnds.last
    while let frame = next {
      let folio = Folio(head: frame)
      // One that is being freed or split is left to whoever does it.
      if folio.tryGet() {
        unlink(folio)
        folio.remove(.onList)
        return FolioReference(owning: folio, memory: memory)
      }
      next = FramePointer(bitPattern: UInt(frame.pointee.previous.load(ordering: .relaxed)))
    }
    return nil
  }

  /// Takes a folio, on which the caller has a reference, off its list for a look; `false` when it lies on none.
  func isolate(_ folio: Folio) -> Bool {
    lock.lock()
    defer { lock.unlock() }
    guard folio.remove(.onList) else { return false }
    unlink(folio)
    return true
  }

  /// Puts the parts that were cut off a frozen folio next to it, on the list that it lies on; nothing when it lies on none.
  /// The list holds as many pages as before. Kernel: `lru_add_split_folio`.
  func add(_ parts: [Folio], besides folio: Folio) {
    lock.lock()
    defer { lock.unlock() }
    guard folio.contains(.onList) else { return }
    for part in parts { link(part, before: folio) }
  }

  private let memory: PhysicalMemory

  init(memory: PhysicalMemory) { self.memory = memory }

  // MARK: Links, under `lock`

  private func link(_ folio: Folio) {
    let isActive = folio.contains(.active)
    let head = folio.head
    let first = isActive ? activeEnds.first : inactiveEnds.first
    head.pointee.next.store(Self.word(first), ordering: .relaxed)
    head.pointee.previous.store(0, ordering: .relaxed)
    first?.pointee.previous.store(Self.word(head), ordering: .relaxed)
    update(isActive) { ends in
      ends.first = head
      if ends.last == nil { ends.last = head }
    }
    count(folio.pageCount, isActive)
  }

  private func link(_ part: Folio, before folio: Folio) {
    let previous = FramePointer(bitPattern: UInt(folio.head.pointee.previous.load(ordering: .relaxed)))
    part.head.pointee.next.store(Self.word(folio.head), ordering: .relaxed)
    part.head.pointee.previous.store(Self.word(previous), ordering: .relaxed)
    folio.head.pointee.previous.store(Self.word(part.head), ordering: .relaxed)
    previous?.pointee.next.store(Self.word(part.head), ordering: .relaxed)
    if previous == nil { update(folio.contains(.active)) { $0.first = part.head } }
  }

  private func unlink(_ folio: Folio) {
    let isActive = folio.contains(.active)
    let next = FramePointer(bitPattern: UInt(folio.head.pointee.next.load(ordering: .relaxed)))
    let previous = FramePointer(bitPattern: UInt(folio.head.pointee.previous.load(ordering: .relaxed)))
    next?.pointee.previous.store(Self.word(previous), ordering: .relaxed)
    previous?.pointee.next.store(Self.word(next), ordering: .relaxed)
    update(isActive) { ends in
      if previous == nil { ends.first = next }
      if next == nil { ends.last = previous }
    }
    count(0 &- folio.pageCount, isActive)
  }

  private func count(_ pages: UInt64, _ isActive: Bool) {
    if isActive {
      activeWord.wrappingAdd(pages, ordering: .relaxed)
    } else {
      inactiveWord.wrappingAdd(pages, ordering: .relaxed)
    }
  }

  private func update(_ isActive: Bool, _ change: (inout Ends) -> Void) {
    if isActive { change(&activeEnds) } else { change(&inactiveEnds) }
  }

  private static func word(_ frame: FramePointer?) -> UInt64 { UInt64(UInt(bitPattern: frame)) }

  /// The folios of a list from head to tail, by the frame number of their heads. For a checker, while nothing else runs.
  func audit(_ list: List) -> [UInt64] {
    var found: [UInt64] = []
    var next = list == .active ? activeEnds.first : inactiveEnds.first
    while let frame = next {
      found.append(memory.number(of: frame).rawValue)
      next = FramePointer(bitPattern: UInt(frame.pointee.next.load(ordering: .relaxed)))
    }
    return found
  }
}
