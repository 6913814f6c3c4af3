/// # Pin
///
/// Taking hold of a program's pages: for device I/O that goes on while the program runs, and for the kernel's own look
/// at its memory.
///
/// Laws
/// 1. What one entry maps is taken hold of by one atomic step, however many of its pages are wanted (seed 002): memory
///    of devices, of files and private memory go the same way, and so do entries of every size.
/// 2. Hold first, look again, record last. The walk without locks takes its references, then compares every entry on
///    the way with what it saw; whoever takes an entry out clears it first and looks at the references afterwards. One
///    of the two sees the other.
/// 3. A lost race gives back exactly what was taken. A page is recorded when its entry was seen again; a fork that came
///    between takes all pins of a walk back.
/// 4. A pin counts ``Folio/pinBias`` references on a folio of one page, and one reference and one in a counter of its
///    own on a larger one. Nothing else tells pins from references, so ``Folio/mayBePinned`` can take 1024 references
///    of one page for a pin, and never a pin for none.
/// 5. What was taken is a noncopyable value; its end gives it back in the way in which it was taken.
///
/// Lock order: the fast walk takes no lock and waits for nobody. The slow one holds the address space's lock shared
/// and one table's lock within it.
///
/// This folder calls `Fault/`, `Tables/`, `Memory/` and `Observe/`.

/// How pages are taken hold of. Kernel: `FOLL_GET` and `FOLL_PIN`.
public enum HoldKind: Sendable, Hashable {
  /// A reference for each page: they stay in memory, but the program may get others in their place.
  case reference
  /// A pin for each page: somebody will look at or change their contents, so the program keeps these very pages.
  case pin
}

/// What pages are taken hold of for. Kernel: `FOLL_*`; peer-to-peer memory, memory policy and interruption by signals
/// are not modelled.
public struct PinFlags: OptionSet, Sendable, Hashable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The pages will be stored to. Kernel: `FOLL_WRITE`.
  public static let write = PinFlags(rawValue: 1 << 0)
  /// What the area could be made to allow is enough; a store to a private area then makes a copy that the program
  /// cannot write. Kernel: `FOLL_FORCE`.
  public static let force = PinFlags(rawValue: 1 << 1)
  /// For as long as the holder likes: refused where that would keep a file from being truncated. Only with
  /// ``HoldKind/pin``. Kernel: `FOLL_LONGTERM`.
  public static let longTerm = PinFlags(rawValue: 1 << 2)
  /// A fault may begin a read but waits neither for it nor for who has the page's folio locked, and keeps the address
  /// space's lock: ask again later. What a store must make durable first is made so. Kernel: `FOLL_NOWAIT`.
  public static let noWait = PinFlags(rawValue: 1 << 3)
  /// What is entered now is all there is: nothing faults, and what would have to cannot be had. Kernel: `FOLL_NOFAULT`.
  public static let noFault = PinFlags(rawValue: 1 << 4)
  /// A fault may drop the address space's lock and be tried again. Kernel: `FOLL_UNLOCKABLE`.
  static let unlockable = PinFlags(rawValue: 1 << 5)
  /// Another process may ask, whose walk cannot go without the lock. Kernel: `FOLL_REMOTE`.
  static let remote = PinFlags(rawValue: 1 << 6)
}
