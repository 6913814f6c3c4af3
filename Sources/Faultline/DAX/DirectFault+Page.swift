/// A fault for one page of a file with DAX. Kernel: `dax_iomap_pte_fault`.
extension AddressSpace {
  func servePage(_ fault: DirectFault, _ context: inout FaultContext, _ copy: Folio?) -> DirectFault.Outcome {
    events.note(EngineEvent(.directPageFault, fault.file, context))
    context.direct.insert(.page)
    let outcome = servePageNoting(fault, &context, copy)
    events.note(EngineEvent(.directPageFaultDone, fault.file, context, outcome.result))
    return outcome
  }

  private func servePageNoting(
    _ fault: DirectFault, _ context: inout FaultContext, _ copy: Folio?
  ) -> DirectFault.Outcome {
    let file = fault.file
    let index = context.filePage
    guard index < file.cache.filePages else { return .init(.busError) }
    var entry: DAXEntry
    switch file.grab(index, .page) {
    case .locked(let grabbed): entry = grabbed
    case .failed(let result): return .init(result)
    }
    defer { file.unlock(entry, at: index) }
    // A fault for 2 MiB came first: make the access again.
    if context.middle.entry.isHuge { return .init(.noPage) }
    let bytes = fault.bytes(at: index)
    do throws(KernelError) {
      let map = try file.file.map(bytes, for: fault.request, window: syncWindow(fault, bytes, context))
      var outcome = serve(fault, map, &entry, &context, copy)
      let isNew = map.flags.contains(.new) && !outcome.result.contains(.busError)
      if isNew { outcome.result.insert(.major) }
      try file.file.endMap(map, for: fault.request, written: outcome.result.isError ? 0 : PageSize.bytes)
      return outcome
    } catch {
      return .init(error.errno == .ENOMEM ? .outOfMemory : .busError, errno: error.errno)
    }
  }

  /// What a synchronous store asks to be prepared with its page: within the area, its page table and the file.
  private func syncWindow(
    _ fault: DirectFault, _ bytes: Range<UInt64>, _ context: borrowing FaultContext
  ) -> Range<UInt64> {
    let wanted = min(machine.rules.direct.syncWindowPages, PageSize.entriesPerTable)
    guard wanted > 1, fault.stores, context.area.flags.contains(.sync) else { return bytes }
    let window = AroundWindow(
      around: context.page, in: context.area.pages, filePage: context.filePage,
      windowPages: KernelRules.roundedFaultAround(bytes: wanted << PageSize.shift) >> PageSize.shift)
    let end = min(window.filePage + UInt64(window.pages.count), fault.file.cache.filePages)
    return min(window.filePage << PageSize.shift, bytes.lowerBound)..<max(end << PageSize.shift, bytes.upperBound)
  }

  /// The body, once the file system has said where the page lies. Kernel: `dax_fault_iter`.
  private func serve(
    _ fault: DirectFault, _ map: IOMap, _ entry: inout DAXEntry, _ context: inout FaultContext, _ copy: Folio?
  ) -> DirectFault.Outcome {
    let file = fault.file
    let index = context.filePage
    if copy == nil, !fault.stores, map.kind != .mapped {
      let zero = DAXEntry.zero(machine.zeroFrame, .page)
      entry = file.show(zero, for: entry, at: index, isDirty: file.rules.tagsReads) ?? entry
      let result = enterZero(&context)
      events.note(EngineEvent(.directLoadHole, file, context, result))
      return .init(result)
    }
    if let copy, map.kind != .mapped { return .init(enterCopy(copy, of: nil, &context)) }
    guard map.kind == .mapped else { return .init(.busError) }
    let frame: FrameNumber
    switch fault.place(of: map, at: index << PageSize.shift) {
    case .frame(let found): frame = found
    case .unsuitable: return .init(.busError)
    case .damaged: return .init(file.rules.reportsDamage ? .poisoned : .busError)
    }
    if let copy { return .init(enterCopy(copy, of: frame, &context)) }
    let isSynchronous = fault.isSynchronous(map, in: context.area)
    let isDirty = !isSynchronous && (fault.stores || file.rules.tagsReads)
    guard let shown = file.show(.block(frame, .page), for: entry, at: index, isDirty: isDirty) else {
      return .init(.busError)
    }
    entry = shown
    return isSynchronous
      ? holdBack(frame, fault, &context) : .init(enterDirect(frame, .page, storing: fault.stores, &context))
  }

  /// What is stored to waits for its commit.
  func holdBack(
    _ frame: FrameNumber, _ fault: DirectFault, _ context: inout FaultContext
  ) -> DirectFault.Outcome {
    #if DEBUG || ModelCheck
      if machine.switches.has(.entersBeforeSync) { _ = enterDirect(frame, fault.size, storing: true, &context) }
    #endif
    return DirectFault.Outcome(.needsDataSync, frame: frame)
  }

  /// A private mapping's store: its own page, with what the file has there. Kernel: `dax_fault_cow_page`.
  private func enterCopy(_ copy: Folio, of frame: FrameNumber?, _ context: inout FaultContext) -> FaultResult {
    if let frame {
      memory.copyPage(from: memory.frame(frame), to: copy.head)
    } else {
      memory.contents(of: copy.head)?.initializeMemory(as: UInt8.self, repeating: 0, count: Int(PageSize.bytes))
    }
    copy.becomePrivate(page: context.page)
    let result = finishFault(&context, entering: copy.head, isPrivateCopy: true)
    return result == [] ? .doneCopy : result
  }
}
