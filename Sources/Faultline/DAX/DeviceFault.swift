/// Faults on a device that is mapped as a whole. Kernel: `dev_dax_huge_fault`.
///
/// The size of the fault must be that of the device's folios: a larger one falls back to the next, a smaller one, which
/// comes where something keeps the entry from being entered, ends in a signal.
extension AddressSpace {
  /// A page, or 2 MiB. Kernel: `__dev_dax_pte_fault`, `__dev_dax_pmd_fault`.
  func faultDevice(_ device: DevicePageMap, _ size: DirectSize, _ context: inout FaultContext) -> FaultResult {
    guard device.order == size.order else { return device.order ?? 0 < size.order ? .fallback : .busError }
    return device.whileMappable(context.area) {
      guard let folio = device.folio(showing: context.page, of: context.area) else { return .busError }
      return enterDirect(memory.number(of: folio.head), size, storing: context.isWrite, &context)
    }
  }

  /// 1 GiB, for which no middle table is needed. Kernel: `create_huge_pud`, `wp_huge_pud`, `__dev_dax_pud_fault`.
  ///
  /// - Returns: `nil` where the area is mapped in smaller pieces.
  @inline(never)
  func faultGigantic(_ area: VMAPointer, _ page: UInt64, _ flags: FaultFlags) -> FaultResult? {
    guard area.isDirect, let device = area.device, device.order == DevicePageMap.giganticOrder else { return nil }
    // Smaller pieces end in a signal, and need no tables for that.
    guard !area.flags.contains(.noHugePage) else { return .busError }
    guard let upper = table.allocateUpperEntry(forPage: page) else { return .outOfMemory }
    return device.whileMappable(area) {
      guard let folio = device.folio(showing: page, of: area) else { return .busError }
      return enterDirect(
        memory.number(of: folio.head), PageTableEntry.hugeBit | PageTableEntry.giganticBit, at: upper.pointer,
        of: upper.table, in: area, storing: flags.contains(.write))
    }
  }
}

extension DevicePageMap {
  /// Runs `enter` while nobody takes the device away, or not at all.
  fileprivate func whileMappable(_ area: VMAPointer, _ enter: () -> FaultResult) -> FaultResult {
    guard let cache = area.pointee.cache else { return .busError }
    cache.pointee.contentLock.lockShared()
    defer { cache.pointee.contentLock.unlockShared() }
    return isStaying ? enter() : .busError
  }
}
