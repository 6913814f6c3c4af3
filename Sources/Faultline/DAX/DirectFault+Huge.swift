/// A fault for 2 MiB of a file with DAX. Kernel: `dax_iomap_pmd_fault`.
///
/// It falls back to single pages where 2 MiB of the file and of the address space do not coincide, a private page is stored to, the
/// area or the file ends inside them, a single page has an entry already, or their blocks are too few or not aligned.
extension AddressSpace {
  func serveHuge(_ fault: DirectFault, _ context: inout FaultContext) -> DirectFault.Outcome {
    events.note(EngineEvent(.directHugeFault, fault.file, context))
    context.direct.insert(.huge)
    let outcome = serveHugeNoting(fault, &context)
    if outcome.result.contains(.fallback) { splitHuge(at: context.middle) }
    events.note(EngineEvent(.directHugeFaultDone, fault.file, context, outcome.result))
    return outcome
  }

  private func serveHugeNoting(_ fault: DirectFault, _ context: inout FaultContext) -> DirectFault.Outcome {
    let file = fault.file
    let index = DirectSize.huge.first(of: context.filePage)
    let filePages = file.cache.filePages
    guard index < filePages else { return .init(.busError) }
    if let reason = hindrance(context, filePages) { return context.fallBack(reason) }
    var entry: DAXEntry
    switch file.grab(index, .huge) {
    case .locked(let grabbed): entry = grabbed
    case .failed(.fallback): return context.fallBack(.smallerEntry)
    case .failed(let result): return .init(result)
    }
    defer { file.unlock(entry, at: index) }
    // A table came first: make the access again.
    guard context.middle.isNone || context.middle.entry.isHuge else { return .init([]) }
    let bytes = fault.bytes(at: index)
    do throws(KernelError) {
      let map = try file.file.map(bytes, for: fault.request)
      let isWhole = map.range.lowerBound <= bytes.lowerBound && map.range.upperBound >= bytes.upperBound
      let outcome = isWhole ? serve(fault, map, &entry, &context) : context.fallBack(.blocks)
      try file.file.endMap(
        map, for: fault.request, written: outcome.result.isError ? 0 : bytes.upperBound - bytes.lowerBound)
      return outcome
    } catch {
      return context.fallBack(.otherFallback, errno: error.errno)
    }
  }

  /// What keeps 2 MiB from being asked for at all, if anything does. Kernel: `dax_fault_check_fallback`.
  private func hindrance(_ context: borrowing FaultContext, _ filePages: UInt64) -> DirectSteps? {
    let mask = PageSize.entriesPerTable - 1
    let first = context.page & ~mask
    if context.filePage & mask != context.page & mask { return .misaligned }
    if context.isWrite, !context.area.flags.contains(.shared) { return .privateStore }
    if first < context.area.start || first + mask >= context.area.end { return .endOfArea }
    return context.filePage | mask < filePages ? nil : .endOfFile
  }

  private func serve(
    _ fault: DirectFault, _ map: IOMap, _ entry: inout DAXEntry, _ context: inout FaultContext
  ) -> DirectFault.Outcome {
    let index = DirectSize.huge.first(of: context.filePage)
    if !fault.stores, map.kind != .mapped { return .init(loadHugeHole(fault, &entry, &context)) }
    guard map.kind == .mapped, case .frame(let frame) = fault.place(of: map, at: index << PageSize.shift) else {
      return context.fallBack(.blocks)
    }
    let isSynchronous = fault.isSynchronous(map, in: context.area)
    guard
      let shown = fault.file.show(
        .block(frame, .huge), for: entry, at: index,
        isDirty: !isSynchronous && (fault.stores || fault.file.rules.tagsReads))
    else { return context.fallBack(.otherFallback) }
    entry = shown
    return isSynchronous
      ? holdBack(frame, fault, &context) : .init(enterDirect(frame, .huge, storing: fault.stores, &context))
  }

  /// Zeroes for 2 MiB, where nothing is entered yet. Kernel: `dax_pmd_load_hole`.
  private func loadHugeHole(
    _ fault: DirectFault, _ entry: inout DAXEntry, _ context: inout FaultContext
  ) -> FaultResult {
    let result = enterHugeZero(fault, &entry, &context)
    if result == .fallback { context.direct.insert(.otherFallback) }
    let kind: EngineEvent.Kind = result == .fallback ? .directLoadHugeHoleFallback : .directLoadHugeHole
    events.note(EngineEvent(kind, fault.file, context, result, entry))
    return result
  }

  private func enterHugeZero(
    _ fault: DirectFault, _ entry: inout DAXEntry, _ context: inout FaultContext
  ) -> FaultResult {
    guard let zero = machine.hugeZeroFrame,
      let shown = fault.file.show(
        .zero(zero, .huge), for: entry, at: DirectSize.huge.first(of: context.filePage),
        isDirty: fault.file.rules.tagsReads)
    else { return .fallback }
    entry = shown
    let value = PageTableEntry(
      frame: zero,
      permissions: context.area.pointee.entryPermissions.load(ordering: .relaxed) | PageTableEntry.accessedBit
        | PageTableEntry.hugeBit | PageTableEntry.specialBit | PageTableEntry.holeBit
    ).without(PageTableEntry.writableBit)
    return table.setHuge(value, at: context.middle) ? .noPage : .fallback
  }
}

extension FaultContext {
  /// 2 MiB go on by single pages.
  fileprivate mutating func fallBack(_ reason: DirectSteps, errno: Errno? = nil) -> DirectFault.Outcome {
    direct.insert(reason)
    return DirectFault.Outcome(.fallback, errno: errno)
  }
}
