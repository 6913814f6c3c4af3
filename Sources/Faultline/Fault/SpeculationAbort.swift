/// Why a speculative attempt at a fault gave up. What follows is an ordinary fault, which finds its own reasons for all
/// it does. Kernel: the `SPF_ABORT_*` events of the patches of 2021.
public enum SpeculationAbort: Int, Hashable, Sendable, CaseIterable {
  /// Somebody was changing areas when the attempt began: any, or this one, depending on whose number is watched.
  case changing
  /// The area changed while it was copied.
  case copyTorn
  /// No area covers the page: a signal, which only an ordinary fault may raise.
  case unmapped
  /// The area does not permit the access: the same.
  case accessRefused
  /// A file with DAX, whose entries the file system gives out.
  case direct
  /// A store to a shared mapping: it waits for the file system, and for the page's lock.
  case sharedStore
  /// The first private copy of an area, which needs a look at its neighbours.
  case firstCopy
  /// A store to a private mapping whose page is not entered: the file's page is copied in one go with its lookup.
  case fileCopy
  /// There is no table for the page, or one entry maps 2 MiB: no table is ever allocated here.
  case noTable
  /// A marker is entered: a guard, or memory that was lost.
  case marker
  /// The page is not in the cache.
  case absent
  /// Somebody works on the page, or takes it away at this moment.
  case locked
  /// The page is still to be read.
  case notUptodate
  /// The page says that the next window is to be read.
  case readaheadDue
  /// The page lies beyond the end of the file.
  case beyondEnd
  /// The page was cut off the file, or split, between the look and its lock.
  case leftFile
  /// The page's memory is damaged.
  case damaged
  /// The table was taken out, or another one stands there.
  case tableChanged
  /// Areas changed between the copy and the entry.
  case areaChanged
  /// There is no memory; an ordinary fault may fare no better, but may say so.
  case outOfMemory
}

/// What became of a thread's speculative attempts.
public struct SpeculationCounts: Sendable {
  public internal(set) var attempts: UInt64 = 0
  private var aborts = InlineArray<24, UInt64>(repeating: 0)

  public init() {}

  package init(attempts: UInt64, aborts: [(SpeculationAbort, UInt64)]) {
    self.attempts = attempts
    for (reason, count) in aborts { self[reason] = count }
  }

  /// Attempts that gave up for one reason.
  public internal(set) subscript(reason: SpeculationAbort) -> UInt64 {
    get { aborts[reason.rawValue] }
    set { aborts[reason.rawValue] = newValue }
  }

  /// Attempts that gave up.
  public var abortCount: UInt64 { SpeculationAbort.allCases.reduce(0) { $0 &+ self[$1] } }

  /// Attempts after which the access could be made again: nothing else was done for the fault.
  public var successes: UInt64 { attempts &- abortCount }

  /// Adds what another thread, or an earlier time, has counted.
  public mutating func add(_ other: SpeculationCounts) {
    attempts &+= other.attempts
    for reason in SpeculationAbort.allCases { self[reason] &+= other[reason] }
  }

  /// What came since an earlier look.
  public static func - (now: Self, before: Self) -> Self {
    var difference = now
    difference.attempts &-= before.attempts
    for reason in SpeculationAbort.allCases { difference[reason] &-= before[reason] }
    return difference
  }
}
