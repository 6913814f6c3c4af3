extension AddressSpace {
  /// Finds the area of an access and takes the lock that this attempt runs under: the area's own, where the flags and
  /// the mode allow it and nobody is changing the area, else the address space's.
  ///
  /// - Returns: `nil` without a lock when nothing is mapped there.
  func lockArea(
    covering page: UInt64, _ access: Access, _ flags: inout FaultFlags, by task: inout FaultTask
  ) -> VMAPointer? {
    if flags.contains(.vmaLock), lockMode == .perVMA {
      if let area = tryLockArea(covering: page, access, by: &task) { return area }
      // That was no attempt: what follows under the other lock is the first.
      flags.remove(.vmaLock)
    }
    task.attempts.spaceLocks &+= 1
    lock.lockShared()
    if let area = areas.area(covering: page) { return area }
    lock.unlockShared()
    return nil
  }

  /// Gives the lock of an attempt back.
  func unlock(_ area: VMAPointer, after flags: FaultFlags) {
    if flags.contains(.vmaLock), lockMode == .perVMA {
      area.unlockForFault()
    } else {
      lock.unlockShared()
    }
  }

  /// Kernel: `lock_vma_under_rcu`.
  private func tryLockArea(covering page: UInt64, _ access: Access, by task: inout FaultTask) -> VMAPointer? {
    task.attempts.areaLooks &+= 1
    let record = task.enter(epoch, of: epochs)
    let found = areas.area(covering: page)
    let isLocked = found?.tryLockForFault(sequence: sequence.pointee) == true
    record.exit()
    guard let area = found, isLocked else { return nil }
    // Its borders may have moved between the look and the lock.
    guard area.pages.contains(page), readiesPrivatePages(of: area, access) else {
      area.unlockForFault()
      return nil
    }
    return area
  }

  /// The first private copy of an area needs a look at its neighbours, for which the address space's lock is needed:
  /// taken only if nobody else wants it, for whoever holds an area's lock must not wait for it.
  private func readiesPrivatePages(of area: VMAPointer, _ access: Access) -> Bool {
    // A store that the area refuses copies nothing, and a fork tells areas with copies from others.
    guard access == .write, area.flags.contains(.write), !area.flags.contains(.shared), area.privateFamily == 0 else {
      return true
    }
    guard lock.tryLockShared() else { return false }
    preparePrivatePages(of: area)
    lock.unlockShared()
    return true
  }
}
