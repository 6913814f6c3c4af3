/// Taking away a device that is mapped as a whole, while programs use it. Kernel: `kill_dev_dax`, `memunmap_pages`.
///
/// A pin without locks takes no reference on the device: what it finds in an entry it takes hold of at once (the
/// question that seed 002 left open). So the steps of a removal, and their order, are what keeps frames from going
/// under it.
///
/// Laws
/// 1. Nobody new: once the device is going, mappings of it are refused and faults on it end in a signal. A fault looks
///    under the content lock, held shared; the removal takes that lock exclusively, and so has waited for every fault
///    that saw the device stay.
/// 2. No entry: what shows the device is taken out of every area of its node, until no folio is mapped: an entry that
///    mremap(2) carries from one place to another at this moment still counts.
/// 3. No walker: a walk that has read an entry before it went is in an epoch. When that is over it has its references
///    or has given them back, for it looks at the entry again; no other can begin.
/// 4. No holder: what references are left belong to those who hold pages. Looked at before step 3, they would say
///    nothing.
/// 5. Only then the frames stop being frames of the device, and the machine lets go of its bytes.
/// 6. A removal that is refused leaves the device as it was: its entries come back by faults.
///
/// Lock order: the content lock, areas of the node, tables. Steps 3 and 4 wait with no lock held and in no epoch.
extension Machine {
  /// Takes a device away that is mapped as a whole. Its mappings stay, and every access to them ends in a signal.
  /// Afterwards the device can be numbered anew, in folios of any size.
  ///
  /// - Parameters:
  ///   - pages: from ``pages(of:order:)`` of this machine.
  ///   - busyPages: what to do about pages that somebody holds: wait until they are given back, or refuse.
  /// - Throws: `EBUSY` for those, for a device whose pages belong to a file system, and when a thread does not leave
  ///   the walk that it is in; `ENXIO` when the device is going already, or gone.
  public func remove(_ pages: DevicePageMap, busyPages: FileNode.BusyPages = .wait) throws(KernelError) {
    guard pages.order != nil else {
      throw KernelError(.EBUSY, "a device whose pages belong to a file system cannot be removed under it")
    }
    guard pages.beginRemoval() else { throw KernelError.deviceIsGone }
    // Kept to the end, for its own end looks at the frames.
    let node = pages.settledNode()
    defer { withExtendedLifetime(node) {} }
    do throws(KernelError) {
      if let node { pages.unmapEverywhere(from: node) }
      try waitForWalkers()
      try pages.waitForHolders(busyPages)
    } catch {
      pages.cancelRemoval()
      throw error
    }
    pages.endRemoval()
    memory.devices.forget(pages)
  }

  private func waitForWalkers() throws(KernelError) {
    #if DEBUG || ModelCheck
      if switches.has(.removesWithoutEpochs) { return }
    #endif
    do throws(EpochDomain.Stalled) {
      try epochs.waitForReaders()
    } catch {
      throw KernelError(.EBUSY, "a device under a walk that does not end: \(error)")
    }
  }
}

/// How far the removal of a device is.
enum Removal: UInt64 {
  case staying
  case going
  case gone
}

extension DevicePageMap {
  var isStaying: Bool { removal.load(ordering: .sequentiallyConsistent) == Removal.staying.rawValue }

  /// `false` when somebody else removes it, or has.
  fileprivate func beginRemoval() -> Bool {
    removal.compareExchange(
      expected: Removal.staying.rawValue, desired: Removal.going.rawValue, successOrdering: .sequentiallyConsistent,
      failureOrdering: .relaxed
    ).exchanged
  }

  fileprivate func cancelRemoval() { removal.store(Removal.staying.rawValue, ordering: .releasing) }

  fileprivate func endRemoval() { removal.store(Removal.gone.rawValue, ordering: .releasing) }

  /// The node, once it has neither just begun nor is just ending; `nil` without one, and then no area shows the device.
  fileprivate func settledNode() -> FileNode? {
    while owner.load(ordering: .sequentiallyConsistent) != 0 {
      if let node { return node }
      spinHint(on: owner)
    }
    return nil
  }

  fileprivate func unmapEverywhere(from node: FileNode) {
    node.cache.pointee.contentLock.lockExclusive()
    node.unmap(0..<UInt64.max, includingCopies: true)
    node.cache.pointee.contentLock.unlockExclusive()
    forEachPermanentFolio { folio in
      while folio.isMapped { node.unmap(folio.index..<folio.endIndex, includingCopies: true) }
    }
  }

  fileprivate func waitForHolders(_ busyPages: FileNode.BusyPages) throws(KernelError) {
    var isBusy = false
    forEachPermanentFolio { folio in
      while !isBusy, folio.references > 1 {
        if busyPages == .refuse { isBusy = true } else { spinHint(on: folio.head.pointee.life) }
      }
    }
    if isBusy {
      throw KernelError(.EBUSY, "a page of the device is held by a transfer; try again when it has ended")
    }
  }
}

extension KernelError {
  static var deviceIsGone: KernelError { KernelError(.ENXIO, "the device is being removed, or was") }
}
