/// What the metadata of one frame says, for a checker that compares it with what it counted itself.
package struct FrameAudit: Sendable {
  package let number: UInt64
  package let references: UInt64
  package let mapCount: UInt64
  /// Of the head of a folio of several pages: huge entries that map it, and entries of either size. 0 for others.
  package let hugeMapCount: UInt64
  package let totalMapCount: UInt64
  package let isLocked: Bool
  /// Of a head: whether one of its pages may be pinned, as ``Folio/mayBePinned`` has it.
  package let mayBePinned: Bool
  package let flags: FolioFlags
  package let order: UInt64
  /// Whether the frame heads a block of a free list.
  package let isFree: Bool
  /// The frame that a tail points to.
  package let head: UInt64?
  package let owner: Owner
  /// The page of the owner that a head says it holds.
  package let index: UInt64
  /// Whether it says that it lies on one of the reclaim lists.
  package let isOnList: Bool

  package enum Owner: Hashable, Sendable {
    case nobody
    case program
    /// A cache, by ``FileNode/auditIdentity``.
    case cache(UInt64)
  }
}

extension PhysicalMemory {
  /// Every frame that was ever handed out, in order. Call it while nothing else runs.
  package func auditFrames() -> [FrameAudit] {
    drainCaches()
    return (0..<watermark.load(ordering: .relaxed)).map(audit(frameNumber:))
  }

  func audit(frameNumber number: UInt64) -> FrameAudit {
    let frame = frames + Int(number)
    let life = frame.pointee.life.load(ordering: .relaxed)
    let flags = frame.pointee.flags.load(ordering: .relaxed)
    let head = FramePointer(bitPattern: UInt(frame.pointee.head.load(ordering: .relaxed)))
    let mapping = frame.pointee.mapping.load(ordering: .relaxed)
    let isLarge = life & Frame.referenceMask != 0 && flags >> FolioFlags.orderShift != 0
    let folio = Folio(head: frame)
    return FrameAudit(
      number: number, references: life & Frame.referenceMask, mapCount: (life & Frame.mapMask) >> 32,
      hugeMapCount: isLarge ? folio.hugeMapCount : 0, totalMapCount: isLarge ? folio.totalMapCount : 0,
      isLocked: life & Frame.lockBit != 0,
      mayBePinned: (isLarge || flags >> FolioFlags.orderShift == 0) && folio.mayBePinned,
      flags: FolioFlags(rawValue: flags & ~FolioFlags.orderMask),
      order: flags >> FolioFlags.orderShift, isFree: flags & FolioFlags.free.rawValue != 0,
      head: head.map { self.number(of: $0).rawValue },
      owner: mapping == 0 ? .nobody : mapping == Frame.anonymousMapping ? .program : .cache(mapping),
      index: frame.pointee.index.load(ordering: .relaxed), isOnList: flags & FolioFlags.onList.rawValue != 0)
  }

  /// Whether nobody holds a frame.
  package func auditIsFree(_ number: FrameNumber) -> Bool { Folio(of: frame(number)).references == 0 }

  /// The blocks of the free lists: first frame and order.
  package func auditFreeBlocks() -> [(number: UInt64, order: UInt64)] {
    drainCaches()
    var blocks: [(number: UInt64, order: UInt64)] = []
    for order in 0...Self.pmdOrder {
      var next = FramePointer(bitPattern: UInt(freeLists[Int(order)].load(ordering: .relaxed)))
      while let block = next {
        blocks.append((number(of: block).rawValue, order))
        next = FramePointer(bitPattern: UInt(block.pointee.next.load(ordering: .relaxed)))
      }
    }
    return blocks
  }

  package func auditIsLocked() -> Bool { lock.isLocked }
}

extension Machine {
  /// The heads of the folios on the list of those used lately, and on that of the others.
  package var auditActiveList: [UInt64] { lists.audit(.active) }
  package var auditInactiveList: [UInt64] { lists.audit(.inactive) }
  /// Frames that failed: each folio of them has one reference that nobody gives back.
  package var auditRetiredFrames: [UInt64] { retired.frames }
  package var auditZeroFrame: UInt64 { zeroFrame.rawValue }
  package var auditLiveTables: UInt64 { tables.liveTables }
  package var auditLiveNodes: UInt64 { nodes.liveNodes }
}
