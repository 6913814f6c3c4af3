/// What the events of pages that are taken hold of add.
extension EngineEvent {
  /// How the pages of one entry were taken hold of, or those of one folio given back.
  public struct Hold: Sendable, Hashable {
    /// On which way.
    public enum Way: UInt8, Sendable, Hashable {
      /// By the walk without locks. Kernel: `gup_fast`.
      case fast
      /// Under the address space's lock. Kernel: `__get_user_pages`.
      case slow
      /// Not at all: the walk was there for its faults. Kernel: `__get_user_pages` without `FOLL_GET` and `FOLL_PIN`.
      case look
      /// Given back.
      case letGo
    }

    public var way: Way
    /// Whether the entry maps 2 MiB; of what is given back nobody knows.
    public var isHuge: Bool
    /// Whether the pages are a device's own.
    public var isDirect: Bool
  }

  /// - Parameters:
  ///   - page: of the address space.
  ///   - count: pages of the entry that were wanted.
  init(_ way: Hold.Way, _ entry: PageTableEntry, page: UInt64, count: UInt64, in memory: PhysicalMemory) {
    self.init(.held, page: page, count: count)
    hold = Hold(
      way: way, isHuge: entry.isHuge, isDirect: memory.device(of: memory.frame(entry.frame)) != nil)
  }

  /// - Parameter pages: of one folio.
  init(lettingGo pages: UInt64, of folio: FrameNumber, in memory: PhysicalMemory) {
    self.init(.held, page: 0, count: pages)
    hold = Hold(way: .letGo, isHuge: false, isDirect: memory.device(of: memory.frame(folio)) != nil)
  }
}
