import Faultline

/// A small race: threads that each do a thing or two to one fresh machine, and what must hold afterwards.
public struct Scenario: Sendable {
  /// How it is called on the command line.
  public let name: String
  public let summary: String
  let stage: Stage.Plan
  let threads: [ThreadPlan]

  /// What one thread does, and how its accesses may end.
  struct ThreadPlan: Sendable {
    let name: String
    let actions: [Action]
    /// Signals that an access may end in here, because another thread takes away what it needs.
    var allowed: [Signal] = []
    /// In which way it takes hold of pages.
    var holds = HoldKind.pin
  }

  public var threadCount: Int { threads.count }

  /// Whether every interleaving within the bound is explored; larger ones get random schedules.
  public var isExhaustive: Bool { threads.count == 2 }

  public static var all: [Scenario] {
    let locked = pairs + changes + endings + pins + direct + devices + mixes
    return locked
      + [LockMode.speculative, .speculativePerVMA].flatMap { mode in
        (locked.filter(\.isAboutFaults) + speculations).map { $0.under(mode) }
      }
  }

  public static func named(_ name: String) -> Scenario? { all.first { $0.name == name } }
}

/// One thing that a thread of a scenario does. Pages are those of the stage's mapping.
enum Action: Sendable {
  case load(UInt64)
  case store(UInt64)
  /// write(2) of the page's first bytes.
  case write(UInt64)
  /// Accesses through the second mapping of a file on a device.
  case loadAgain(UInt64)
  case storeAgain(UInt64)
  /// fsync(2) of the file.
  case sync
  case munmap(Range<UInt64>)
  case mprotect(Range<UInt64>, Protection)
  /// Maps another file over the range.
  case mapOther(Range<UInt64>)
  /// Moves the range to ``Stage/elsewhere``.
  case mremap(Range<UInt64>)
  case truncate(pages: UInt64)
  case punch(Range<UInt64>)
  case writeBack
  /// Gives up the range's cached pages, if it can.
  case pageOut(Range<UInt64>)
  /// Calls the range cold, which splits a folio that lies only in part in it.
  case cool(Range<UInt64>)
  /// Makes one huge folio of the first 2 MiB; that somebody holds a page, or that nothing is there any more, may stop
  /// it.
  case collapse
  /// The memory of the file's page fails.
  case poison(UInt64)
  case dropCaches
  case fork
  /// Accesses of the child that was forked before the threads began.
  case childLoad(UInt64)
  case childStore(UInt64)
  /// Gives up the stage's hold on that child: it ends here, or where somebody else lets go of it.
  case endChild
  /// Makes every access to the page end in a signal, for which its leaf table is entered.
  case guardPage(UInt64)
  /// Gives up the stage's hold on the file, which lives on as long as an area maps it or somebody works on it.
  case close
  /// A change of areas that changes none, and frees what everybody has retired.
  case collect
  /// Takes a device away that is mapped as a whole; that somebody holds a page may stop it, where it does not wait.
  case removeDevice(FileNode.BusyPages)
  /// Takes hold of the range for stores: with faults, or only what is entered now.
  case pin(Range<UInt64>)
  case pinNow(Range<UInt64>)
  /// Gives back what this thread has pinned, after a look whether it still is what was pinned.
  case unpin
  /// Brings a page of another file into a cache that may hold no more: something else must go.
  case squeeze
}
