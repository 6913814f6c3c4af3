/// What must hold of an engine at rest: no operation running, no lock held, every lookup's reference given back.
///
/// The numbers are those of the project's list of invariants; `docs/invariants.md` has it.
public enum Law: String, Sendable, CaseIterable {
  case frameHasOneState = "a frame is free, or part of exactly one folio"
  case folioIsAligned = "a folio begins at a multiple of its size, and its tails point to its head"
  case freeFrameIsBare = "a free frame has no reference, no mapping and no owner"
  case freeBlocksMerge = "free blocks are aligned and merged with their free buddies"
  case framesAreConserved = "frames in use and free frames are all frames"
  case referencesAddUp = "a folio's references are its cache's, its entries' and those that somebody holds"
  case mapCountsAddUp = "a page's map count is the number of entries that map it"
  case tailsHoldNothing = "a tail has no reference of its own"
  case nothingIsLocked = "no lock is held"
  case splitsNeverFail = "a huge entry of private memory has a table deposited for its split"
  case pinnedIsTheProgramsOwn = "a pinned page of private memory shows in one program only"
  case mappedMeansUptodate = "a mapped page is up to date"
  case dirtyIsMarked = "a folio is dirty exactly when its slot is marked so"
  case slotsAndFoliosAgree = "a slot's folio says that it lies in that cache, at that page"
  case cachedPagesAddUp = "a cache's count is the pages of its folios"
  case nothingBeyondEnd = "no folio and no entry lies wholly beyond the end of its file"
  case entriesLieInAreas = "every present entry lies inside an area"
  case entriesStayBelowAreas = "an entry allows no more than its area"
  case notifiedBeforeWritable = "a writable entry of a file that wants to hear of stores has a dirty folio"
  case privateStoresAreCopies = "a writable entry of a private area maps private memory"
  case entriesShowTheRightPage = "an entry maps its area's page: the file's, a private copy, or the zero page"
  case tablesAddUp = "the tables in use are those that walks find"
  case tablesCoverAreas = "no leaf table stands where no area is"
  case mappedPagesAddUp = "an address space's counts are the entries of each kind"
  case areasAreOrdered = "areas are sorted, disjoint and not empty"
  case filesListTheirAreas = "a file lists exactly the areas that map it"
  case nodesAddUp = "the cache nodes in use are those that walks find"
  case listsAgreeWithFolios = "a cached folio that can be read again lies on exactly the list that its flags name"
  case directEntriesAddUp = "an entry of a file with DAX is unlocked, inside the file, and shows a folio that says so"
  case syncMapping = "where a synchronous mapping lets stores through, a crash would find the page in the file"
  case everythingIsGivenBack = "with no file and no address space left, nothing is in use"
}

/// One breach of a law: which, and of what.
public struct Violation: Sendable, CustomStringConvertible {
  public let law: Law
  /// The frame, page, area or file concerned, and the figures that disagree.
  public let subject: String

  public var description: String { "\(law.rawValue): \(subject)" }
}
