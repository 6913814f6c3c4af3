/// An area as the address space has it, for a checker.
package struct AreaAudit: Sendable {
  package let pages: Range<UInt64>
  package let flags: VMAFlags
  package let filePage: UInt64
  /// ``FileNode/auditIdentity`` of the file; `nil` for anonymous memory.
  package let cache: UInt64?
  package let notifiesOfWrites: Bool
  /// Pages of the file; all there could be for anonymous memory.
  package let filePages: UInt64
}

/// The tables that a walk found: how many, and the first page and level of each.
package struct TableAudit: Sendable {
  package let firstPage: UInt64
  /// 0 is a leaf, 3 the root.
  package let level: Int
}

extension AddressSpace {
  /// The areas in the order of the tree. Call it while nothing else runs, as all of these.
  package func auditAreas() -> [AreaAudit] {
    var found: [AreaAudit] = []
    areas.forEach { area in
      found.append(
        AreaAudit(
          pages: area.pages, flags: area.flags, filePage: area.pointee.filePage.load(ordering: .relaxed),
          cache: area.pointee.cache.map { UInt64(UInt(bitPattern: $0)) },
          notifiesOfWrites: area.traits?.notifiesOfWrites == true,
          filePages: area.pointee.cache?.filePages ?? .max))
    }
    return found
  }

  /// Every entry that is not none, huge ones with their first page, whether or not an area covers it, found by walking all tables.
  package func auditEntries() -> [(page: UInt64, entry: PageTableEntry)] {
    var found: [(page: UInt64, entry: PageTableEntry)] = []
    table.forEachEntry(in: 0..<1 << 36) { page, pointer in
      found.append((page, PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))))
    }
    return found
  }

  package func auditTables() -> [TableAudit] { table.auditTables() }

  /// Tables that are deposited for the split of huge entries.
  package func auditDeposits() -> Int { table.auditDeposits() }

  package func auditIsLocked() -> Bool { lock.isHeld }

  /// The areas of a file that belong to this space, by first page, in the file's order.
  package func auditListedAreas(of node: FileNode) -> [Range<UInt64>] {
    var found: [Range<UInt64>] = []
    node.forEachArea { area in
      if area.pointee.space.toOpaque() == Unmanaged.passUnretained(self).toOpaque() { found.append(area.pages) }
    }
    return found
  }
}

extension PageTable {
  fileprivate func auditDeposits() -> Int {
    var count = 0
    func visit(_ table: Table, level: Int) {
      count += memory.deposited(on: lock(of: table))
      for slot in 0..<512 where level > 1 {
        if let child = Self.child(table.entries[slot].load(ordering: .relaxed)) { visit(child, level: level - 1) }
      }
    }
    visit(root, level: 3)
    return count
  }

  fileprivate func auditTables() -> [TableAudit] {
    var found: [TableAudit] = []
    func visit(_ table: Table, level: Int, firstPage: UInt64) {
      found.append(TableAudit(firstPage: firstPage, level: level))
      guard level > 0 else { return }
      for slot in 0..<512 {
        guard let child = Self.child(table.entries[slot].load(ordering: .relaxed)) else { continue }
        visit(child, level: level - 1, firstPage: firstPage + UInt64(slot) << UInt64(9 * level))
      }
    }
    visit(root, level: 3, firstPage: 0)
    return found
  }
}
