/// Pages that somebody has taken hold of. The end of this value gives them back, so none is ever forgotten; who has
/// stored to them says so with ``unpin(markingDirty:)``.
///
/// One thread at a time uses it, any thread may end it. Kernel: `struct page **pages` with its count,
/// `unpin_user_pages`.
public struct PinnedPages: ~Copyable {
  /// What is recorded.
  public enum Form: Sendable, Hashable {
    /// The frame of every page: 8 bytes a page.
    case pages
    /// Heads only: for every run within a folio its first frame and its length, 16 bytes a run however long it is.
    /// Source: seed 002, where its author proposes it.
    case runs
  }

  /// Consecutive pages of one folio.
  public struct Run: Sendable, Hashable {
    /// The folio's first frame.
    public let folio: FrameNumber
    /// The first of the pages, counted from there.
    public let offset: UInt64
    public let pageCount: UInt64

    public var firstFrame: FrameNumber { FrameNumber(rawValue: folio.rawValue + offset) }
  }

  public let kind: HoldKind
  public let form: Form
  /// Pages that are held.
  public private(set) var pageCount: UInt64 = 0
  let machine: Machine
  /// Frame numbers; or pairs of a frame number and a count.
  private var words: UnsafeMutablePointer<UInt64>
  private var count = 0
  private var capacity: Int

  /// An empty one, to be filled by ``AddressSpace/hold(_:_:into:by:)``.
  ///
  /// - Parameter capacity: pages, or runs, that it takes before it grows.
  public init(_ kind: HoldKind, of machine: Machine, form: Form = .pages, capacity: Int = 0) {
    self.kind = kind
    self.form = form
    self.machine = machine
    self.capacity = max(16, form == .pages ? capacity : 2 * min(capacity, .max >> 1))
    words = .allocate(capacity: self.capacity)
  }

  deinit {
    PinnedPages.giveBack(UnsafePointer(words), count, form, kind, machine, dirty: false)
    words.deallocate()
  }

  /// Gives the pages back.
  ///
  /// - Parameter markingDirty: whether somebody has stored to them, so that their contents must reach the store.
  ///   Kernel: `unpin_user_pages_dirty_lock`.
  public consuming func unpin(markingDirty: Bool = false) {
    if markingDirty {
      PinnedPages.giveBack(UnsafePointer(words), count, form, kind, machine, dirty: true)
      count = 0
    }
  }

  /// Gives the pages back and is empty again, with the room that it has.
  public mutating func removeAll(markingDirty: Bool = false) {
    PinnedPages.giveBack(UnsafePointer(words), count, form, kind, machine, dirty: markingDirty)
    count = 0
    pageCount = 0
  }

  // MARK: Recording

  /// Records pages of one folio that were just taken hold of.
  @inline(__always)
  mutating func record(_ first: FrameNumber, _ pages: UInt64) {
    pageCount &+= pages
    let wanted = form == .pages ? Int(pages) : 2
    if count &+ wanted > capacity { grow(by: wanted) }
    let place = words + count
    if form == .pages {
      for page in 0..<wanted { place[page] = first.rawValue &+ UInt64(page) }
    } else {
      place[0] = first.rawValue
      place[1] = pages
    }
    count &+= wanted
  }

  @inline(never)
  private mutating func grow(by more: Int) {
    let larger = max(capacity * 2, count + more)
    let new = UnsafeMutablePointer<UInt64>.allocate(capacity: larger)
    new.update(from: words, count: count)
    words.deallocate()
    words = new
    capacity = larger
  }

  /// Gives back what was recorded after `mark`.
  mutating func truncate(to mark: Mark) {
    PinnedPages.giveBack(UnsafePointer(words) + mark.count, count - mark.count, form, kind, machine, dirty: false)
    count = mark.count
    pageCount = mark.pageCount
  }

  /// How far it is filled.
  struct Mark {
    fileprivate let count: Int
    fileprivate let pageCount: UInt64
  }

  var mark: Mark { Mark(count: count, pageCount: pageCount) }

  // MARK: Looking

  /// Calls `body` with each run, in the order of addresses. Pages that lie behind each other in one folio come as one
  /// run.
  public func forEachRun(_ body: (Run) -> Void) {
    let memory = machine.memory
    PinnedPages.forEachRun(UnsafePointer(words), count, form, memory) { folio, first, pages in
      let head = memory.number(of: folio.head)
      body(Run(folio: head, offset: first.rawValue - head.rawValue, pageCount: pages))
    }
  }

  /// Calls `body` with the frame of each page, in the order of addresses.
  public func forEachPage(_ body: (FrameNumber) -> Void) {
    forEachRun { run in
      for page in 0..<run.pageCount { body(FrameNumber(rawValue: run.firstFrame.rawValue + page)) }
    }
  }

  // MARK: Giving back

  /// Finds the longest runs within a folio.
  @inline(__always)
  private static func forEachRun(
    _ words: UnsafePointer<UInt64>, _ count: Int, _ form: Form, _ memory: PhysicalMemory,
    _ body: (_ folio: Folio, _ first: FrameNumber, _ pages: UInt64) -> Void
  ) {
    var index = 0
    while index < count {
      let first = FrameNumber(rawValue: words[index])
      let frame = memory.frame(first)
      let folio = Folio(of: frame)
      var pages = 1
      if form == .runs {
        pages = Int(words[index &+ 1])
      } else {
        let limit = min(count &- index, Int(folio.pageCount) &- (frame - folio.head))
        pages = consecutive(words + index, limit)
      }
      body(folio, first, UInt64(pages))
      index &+= form == .runs ? 2 : pages
    }
  }

  /// How many of the first `limit` words, at least one, count up from the first.
  @inline(__always)
  private static func consecutive(_ words: UnsafePointer<UInt64>, _ limit: Int) -> Int {
    let first = words[0]
    // Without an exit in the middle the comparison of a block is a few instructions.
    let block = 32
    var done = 0
    while done &+ block <= limit {
      let place = words + done
      let begin = first &+ UInt64(truncatingIfNeeded: done)
      var difference: UInt64 = 0
      for step in 0..<block { difference |= place[step] ^ (begin &+ UInt64(truncatingIfNeeded: step)) }
      if difference != 0 { break }
      done &+= block
    }
    done = max(1, done)
    while done < limit, words[done] == first &+ UInt64(done) { done &+= 1 }
    return done
  }

  private static func giveBack(
    _ words: UnsafePointer<UInt64>, _ count: Int, _ form: Form, _ kind: HoldKind, _ machine: Machine, dirty: Bool
  ) {
    let memory = machine.memory
    let zero = machine.zeroFrame
    forEachRun(words, count, form, memory) { folio, first, pages in
      guard first != zero else { return }
      // Dirty before it goes: the last reference may take it away.
      if dirty, !folio.contains(.dirty) {
        folio.lock()
        folio.markDirty()
        folio.unlock()
      }
      folio.letGo(pages, kind, in: memory)
    }
  }
}
