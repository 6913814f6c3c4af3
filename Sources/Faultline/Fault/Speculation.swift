/// What a speculative attempt relies on, and what is to be done once it has succeeded.
struct Speculation {
  /// Whoever changes what the attempt has read changes this word first.
  private let watched: WordPointer
  private let number: UInt64
  /// Why the attempt has given up.
  private(set) var abort: SpeculationAbort?
  /// Pages that were found in the cache. An attempt that gives up has counted nothing: the one that follows finds them again.
  var hits: UInt64 = 0

  @inline(__always)
  init(watching word: WordPointer, number: UInt64) {
    watched = word
    self.number = number
  }

  /// Whether nothing has changed yet. Acquiring, so that nothing which is read afterwards was read before the look.
  @inline(__always)
  var holds: Bool { watched.pointee.load(ordering: .acquiring) == number }

  @inline(__always)
  mutating func giveUp(_ reason: SpeculationAbort) { abort = reason }
}

extension FaultContext {
  @inline(__always)
  var isSpeculative: Bool { speculation != nil }

  /// Ends the attempt: nothing of it has happened. What the station holds is its own to give back.
  @inline(__always)
  mutating func abort(_ reason: SpeculationAbort) -> FaultResult {
    speculation?.giveUp(reason)
    return .retry
  }

  /// What a station answers that could not lock its table: somebody else has done something there, so the access is made
  /// again; or, without a lock on the area, the ordinary fault is to find out.
  @inline(__always)
  var refusal: FaultResult { speculation?.abort == nil ? .noPage : .retry }

  /// The last look before an entry is set, under its table's lock. Whoever changes areas changes the number first and takes
  /// this lock afterwards, to take entries out: if the number still holds, what is entered now will be seen.
  @inline(__always)
  mutating func areaHolds() -> Bool {
    guard let speculation else { return true }
    #if DEBUG || ModelCheck
      if table.memory.switches?.has(.skipsSpeculationCheck) == true { return true }
    #endif
    if speculation.holds { return true }
    _ = abort(.areaChanged)
    return false
  }

  /// Takes back misses of the file's readahead, once for a fault: what an attempt without a lock has found counts when it
  /// has succeeded. Kernel: `mmap_miss`.
  @inline(__always)
  mutating func forgetMisses(_ hits: UInt64) {
    #if DEBUG || ModelCheck
      if isSpeculative, table.memory.switches?.has(.forgetsMissesTwice) == true {
        area.pointee.readahead?.forgetMisses(hits)
        return
      }
    #endif
    if isSpeculative { speculation?.hits &+= hits } else { area.pointee.readahead?.forgetMisses(hits) }
  }
}
