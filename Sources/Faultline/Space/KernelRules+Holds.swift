extension KernelRules {
  /// How pages are taken hold of: how often a kernel counts up for what the engine takes in one step, which does not
  /// depend on this, and what is refused.
  public struct HoldRules: Sendable, Hashable {
    /// Whether the walk under the lock takes the pages of a huge entry one after the other (6.1), or the first of them
    /// and then all others.
    public var stepsHugeByPage: Bool
    /// Whether a device's pages are taken one by one, and not at all by who only wants their faults, and given back one
    /// by one: each is a folio of its own (up to 6.14). Kernel: `follow_devmap_pmd`, `__gup_device_huge_pmd`.
    public var stepsDeviceByPage: Bool
    /// Whether both walks call one function for a page of a device's huge entry, and for a step of the walk under the
    /// lock (6.1). Later each walk has its own.
    public var sharesPageStep: Bool
    /// Whether pages of a file that must be told of stores cannot be pinned for long to be stored to (6.5 and later).
    /// Kernel: `writable_file_mapping_allowed`.
    public var refusesLongStores: Bool

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
