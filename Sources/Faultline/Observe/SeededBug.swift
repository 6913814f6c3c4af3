#if DEBUG || ModelCheck

  /// Faults that can be put into the engine on purpose, to prove that a checker sees them. Release builds have no trace
  /// of them.
  public enum SeededBug: String, CaseIterable, Sendable {
    /// A fault maps the folio it found without looking whether the file still has it.
    case skipsMappingCheck
    /// A fault does not look at the file's size again under the folio's lock.
    case skipsSizeCheck
    /// A fault keeps the spare table that it did not need.
    case keepsSpareTable
    /// Fault-around gives back the reference of a page that it passes over twice.
    case putsSkippedNeighbourTwice
    /// Fault-around takes one reference too many on a page that it maps.
    case getsMappedNeighbourTwice
    /// Writeback leaves the entries of a folio writable.
    case forgetsWriteProtect
    /// Truncation unmaps once instead of twice.
    case unmapsOnce
    /// A fault does not look at the area's sequence number again after it has counted itself in.
    case skipsSequenceCheck
    /// Fork write-protects entries without keeping faults out of the parent's areas (6.4.0).
    case forkLeavesAreasUnmarked
    /// A table goes back to its allocator while walkers may be in it.
    case freesTableAtOnce
    /// An entry is set without looking whether it is still what it was.
    case skipsEntryCheck
    /// A huge entry is set without looking whether a table was entered meanwhile.
    case skipsMiddleCheck
    /// A huge entry of private memory keeps no table for its split.
    case forgetsDeposit
    /// Fault-around takes a folio that could not be mapped huge for mapped (the draft of seed 003).
    case believesRefusedHuge
    /// Fault-around asks to map a shadow huge, and enters a table when that is refused.
    case mapsValueHuge
    /// Fault-around enters a table for a huge folio that somebody else has locked.
    case entersTableForLockedFolio
    /// Collapse takes a table out without looking whether a page was entered in it meanwhile.
    case takesTableInUse
    /// A leaf table is entered without looking whether another thread's came first.
    case skipsTableCheck
    /// A split gives the original its references back before the slots show the parts.
    case unfreezesOriginalFirst
    /// A synchronous fault enters its page before it commits.
    case entersBeforeSync
    /// A store is let through although a crash would lose its page.
    case entersWithoutSync
    /// Whoever removes or replaces a DAX entry wakes one waiter instead of all.
    case wakesOneWaiter
    /// A waiter for an entry of 2 MiB queues up under its own page.
    case waitsByUnroundedIndex
    /// Writeback of a DAX entry makes one mapping read-only and leaves the others (5.17).
    case protectsOneMapping
    /// A sync of a range leaves out its last page.
    case syncsWrongRange
    /// A speculative attempt that gives up keeps the reference of the page it found (the defect of seed 004).
    case leaksOnAbort
    /// A speculative attempt does not compare its number again before it sets an entry.
    case skipsSpeculationCheck
    /// A speculative attempt uses its area after it has left the epoch in which it found it.
    case leavesEpochEarly
    /// A speculative attempt takes misses of readahead back at once, and the ordinary fault that follows does so again.
    case forgetsMissesTwice
    /// A walk from a file's side keeps the address space alive, and so may be what ends it, under its own locks.
    case walkHoldsSpace
    /// A pin that finds its entry changed keeps its references.
    case keepsPinOfLostRace
    /// A pin that finds its entry changed gives one reference too many back.
    case undoesOnePinTooMany
    /// A pin inside a huge entry takes the shift of its size for the size, and so begins at its head (seed 002).
    case takesShiftForSize
    /// A pin counts on the page that is wanted instead of on its folio's head.
    case countsPinOnSubpage
    /// A pin without locks does not look whether a fork copies entries meanwhile.
    case pinsDuringFork
    /// The removal of a device does not wait for walks without locks before it looks who holds a page.
    case removesWithoutEpochs
  }

  /// A place between a look and the lock that makes it safe: where another thread's work hurts most.
  public enum RaceWindow: Sendable {
    /// A fault has found its folio and has not locked it.
    case folioFound
    /// A store has its source page locked and its copy made, and has not entered it.
    case copyReady
    /// Truncation has unmapped for the first time.
    case unmappedOnce
    /// A fault has decided to map 2 MiB by one entry, and has not locked the table.
    case hugeDecided
    /// A fork has found a page of private memory not pinned, and has not shared it.
    case notPinned
  }

  /// The switches of one machine: seeded bugs, and what happens in its race windows.
  ///
  /// `@unchecked Sendable`: set before threads run, only read while they do.
  public final class DebugSwitches: @unchecked Sendable {
    public var bugs: Set<SeededBug> = []
    /// Called on the thread that is in the window, under whatever locks it holds there.
    public var onRaceWindow: (@Sendable (RaceWindow) -> Void)?

    private var fired: Set<SeededBug> = []

    func has(_ bug: SeededBug) -> Bool { bugs.contains(bug) }

    /// The same, but only once: for what would otherwise happen again on every retry.
    func fires(_ bug: SeededBug) -> Bool { bugs.contains(bug) && fired.insert(bug).inserted }
    func pass(_ window: RaceWindow) { onRaceWindow?(window) }
  }

#endif
