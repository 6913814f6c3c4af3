/// What the events of pages that are taken hold of add.
extension EngineEvent {
  /// How the pages of one entry were taken hold of, or those of one folio given back.
  public struct Hold: Sendable, Hashable {
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

extension KernelRules {
  /// How often a kernel counts up to take hold of what the engine takes in one step. The engine's own number does not depend on
  /// this: it takes one step for the pages of an entry.
  public struct HoldRules: Sendable, Hashable {
    /// Whether the walk under the lock takes the pages of a huge entry one after the other (6.1), or the first of them and
    /// then all others.
    public var stepsHugeByPage: Bool
    /// Whether a device's pages are taken one by one, and not at all by who only wants their faults, and given back one by one: each is a
    /// folio of its own (up to 6.14). Kernel: `follow_devmap_pmd`, `__gup_device_huge_pmd`.
    public var stepsDeviceByPage: Bool
    /// Whether both walks call one function for a page of a device's huge entry, and for a step of the walk under the lock (6.1).
    /// Later each walk has its own.
    public var sharesPageStep: Bool

    /// How often a kernel with these rules counts up, or down, where the engine did what the event tells.
    public func steps(_ hold: EngineEvent.Hold, pages: UInt64) -> UInt64 {
      if hold.isDirect, stepsDeviceByPage {
        return hold.way == .look ? 0 : pages
      }
      switch hold.way {
      case .fast, .look, .letGo: return 1
      case .slow: return stepsHugeByPage ? pages : min(pages, 2)
      }
    }
  }
}
