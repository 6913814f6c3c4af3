/// What became of a folio that reclaim looked at.
enum ReclaimVerdict {
  /// It left the cache.
  case reclaimed
  /// It stays where it was: somebody holds it, or it was used once.
  case kept
  /// It was used often enough to belong on the active list.
  case used
  /// It must be written first.
  case dirty(FileNode)
}

extension Machine {
  /// How a folio was used through the entries that map it.
  struct FolioUse {
    /// Entries that were accessed since the last look, without those of areas whose accesses say nothing.
    var entries: UInt64 = 0
    var isExecutable = false
    var isLockedInMemory = false
  }

  /// Gives up a folio that lies on no list and on which the caller holds a reference. Kernel: `shrink_folio_list` for one.
  ///
  /// - Parameter ignoringUse: whether it goes even if it was used lately (MADV_PAGEOUT).
  func reclaim(_ folio: Folio, ignoringUse: Bool) -> ReclaimVerdict {
    guard folio.tryLock() else { return .kept }
    let heldFile = folio.file
    // This may be the last reference on the file, whose end takes the folio's lock: it goes behind that.
    defer {
      folio.unlock()
      withExtendedLifetime(heldFile) {}
    }
    guard let file = heldFile, !folio.contains(.writeback) else { return .kept }
    let use = use(of: folio, in: file)
    if use.isLockedInMemory { return .used }
    if !ignoringUse {
      let wasReferenced = folio.remove(.referenced)
      if use.entries > 0 {
        folio.insert(.referenced)
        return wasReferenced || use.entries > 1 || use.isExecutable ? .used : .kept
      }
    }
    if folio.isMapped { file.unmap(folio.index..<folio.endIndex, includingCopies: false) }
    if folio.contains(.dirty) {
      // To be given up as soon as it is written. Kernel: `folio_set_reclaim`, which is the readahead marker.
      folio.insert(.readahead)
      return .dirty(file)
    }
    guard folio.freeze(1 + folio.pageCount) else { return .kept }
    // Dirty after the count: who stored through a reference that is gone by now left its mark first.
    if folio.contains(.dirty) {
      folio.unfreeze(1 + folio.pageCount)
      return .dirty(file)
    }
    let shadow = Shadow(age: lists.advance(by: folio.pageCount), wasWorkingset: folio.contains(.workingset))
    file.evict(folio, leaving: shadow)
    reclaimedWord.wrappingAdd(folio.pageCount, ordering: .relaxed)
    return .reclaimed
  }

  /// The use of a folio that the caller has not locked: none when that cannot be told now.
  func use(of folio: Folio) -> FolioUse {
    guard folio.tryLock() else { return FolioUse() }
    let file = folio.file
    defer {
      folio.unlock()
      withExtendedLifetime(file) {}
    }
    return file.map { use(of: folio, in: $0) } ?? FolioUse()
  }

  /// Looks at the entries that map a locked folio, taking their accessed bits away. Kernel: `folio_referenced`.
  private func use(of folio: Folio, in file: FileNode) -> FolioUse {
    var use = FolioUse()
    file.forEachArea { area in
      let flags = area.flags
      // MADV_RANDOM and MADV_SEQUENTIAL say that what was used will not be used again.
      let tells = flags.isDisjoint(with: [.randomRead, .sequentialRead])
      area.forEachEntry(of: folio.index..<folio.endIndex) { pointer in
        let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .relaxed))
        guard entry.isPresent, !entry.isSpecial else { return }
        guard Folio(of: memory.frame(entry.frame)) == folio else { return }
        if flags.contains(.locked) { use.isLockedInMemory = true }
        guard entry.isAccessed else { return }
        pointer.pointee.bitwiseAnd(~PageTableEntry.accessedBit, ordering: .relaxed)
        guard tells else { return }
        use.entries += 1
        if flags.contains(.execute) { use.isExecutable = true }
      }
    }
    return use
  }
}

extension Folio {
  /// The file whose cache the folio lies in, unless it is ending. The caller holds the folio's lock, which keeps the file's
  /// cache in memory.
  var file: FileNode? {
    let mapping = head.pointee.mapping.load(ordering: .relaxed)
    guard mapping != Frame.anonymousMapping, let cache = PageCachePointer(bitPattern: UInt(mapping)) else { return nil }
    return cache.pointee.heldNode
  }

  /// Whether the folio lies in any file's cache.
  var isInFile: Bool {
    let mapping = head.pointee.mapping.load(ordering: .relaxed)
    return mapping != 0 && mapping != Frame.anonymousMapping
  }

  /// Takes all references of a locked, unmapped folio away at once if there are exactly `references`: from then on nobody
  /// gets one. Kernel: `folio_ref_freeze`.
  func freeze(_ references: UInt64) -> Bool {
    let expected = references | Frame.lockBit
    return head.pointee.life.compareExchange(
      expected: expected, desired: Frame.lockBit, successOrdering: .acquiringAndReleasing, failureOrdering: .relaxed
    ).exchanged
  }

  /// Gives a frozen folio its references back. Kernel: `folio_ref_unfreeze`.
  func unfreeze(_ references: UInt64) {
    head.pointee.life.store(references | Frame.lockBit, ordering: .releasing)
  }
}

extension FileNode {
  /// Takes a frozen folio out of the cache. What is left afterwards is the caller's own reference.
  fileprivate func evict(_ folio: Folio, leaving shadow: Shadow) {
    machine.events.note(EngineEvent(.deleted, self, folio))
    cache.pointee.slotLock.withLock {
      let index = folio.index
      let order = folio.order
      slots.erase(index)
      // A file without frames for nodes forgets when the folio went; that costs a guess, not correctness.
      _ = slots.store(shadow.entry, at: index, order: order)
    }
    folio.head.pointee.mapping.store(0, ordering: .relaxed)
    cache.pointee.pageCount.wrappingSubtract(folio.pageCount, ordering: .relaxed)
    folio.unfreeze(1)
  }
}
