import Faultline

/// What file systems of one kind do alike and other kinds otherwise.
public struct FileSystemRules: Hashable, Sendable {
  /// Pages of an unwritten extent that a store converts beyond those asked for rather than splitting it off, zeroing
  /// them; 0 for never. Kernel: `extent_max_zeroout_kb`, 32 KiB on ext4.
  public var zeroOutPages: UInt64
  /// Whether a lookup that reaches past the file's end counts as dirty also when nothing will be stored.
  public var readPastEndIsDirty: Bool

  public static let ext4 = FileSystemRules(zeroOutPages: 8, readPastEndIsDirty: true)
  public static let xfs = FileSystemRules(zeroOutPages: 0, readPastEndIsDirty: false)

  /// The rules of the kind of file system that a mode is of.
  public init(_ mode: MetadataMode) { self = mode == .pinnedLog ? .xfs : .ext4 }

  private init(zeroOutPages: UInt64, readPastEndIsDirty: Bool) {
    self.zeroOutPages = zeroOutPages
    self.readPastEndIsDirty = readPastEndIsDirty
  }
}

/// Where the pages of a file are to lie on the device, modulo 2 MiB: whether one entry can map 512 of them hangs on it.
public struct Placement: Hashable, Sendable {
  /// Pages of the file that lie one behind the other.
  public struct Run: Hashable, Sendable {
    public var pages: Range<UInt64>
    /// The first page's place on the device modulo 512 pages.
    public var residue: UInt64

    public init(pages: Range<UInt64>, residue: UInt64) {
      self.pages = pages
      self.residue = residue % PageSize.entriesPerTable
    }

    /// The place of a page modulo 512, as if the run went that far.
    func residue(of page: UInt64) -> UInt64 { (residue &+ (page &- pages.lowerBound)) % PageSize.entriesPerTable }

    func adjoins(_ next: Run) -> Bool {
      pages.upperBound == next.pages.lowerBound && residue(of: pages.upperBound) == next.residue
    }
  }

  /// In the order of their pages, those that go on where another ends made one; pages outside them lie anywhere.
  public let runs: [Run]

  public init(_ runs: [Run]) {
    self.runs = runs.sorted { $0.pages.lowerBound < $1.pages.lowerBound }.reduce(into: []) { joined, run in
      if let last = joined.last, last.adjoins(run) {
        joined[joined.count - 1].pages = last.pages.lowerBound..<run.pages.upperBound
      } else {
        joined.append(run)
      }
    }
  }

  /// The residue of a page and how many pages from it on it holds for.
  func place(_ page: UInt64) -> (residue: UInt64, count: UInt64)? {
    guard let run = runs.first(where: { $0.pages.contains(page) }) else { return nil }
    return (run.residue(of: page), run.pages.upperBound - page)
  }
}
