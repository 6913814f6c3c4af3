extension AddressSpace {
  /// A load or fetch of a file page that is not entered. Kernel: `do_read_fault`.
  ///
  /// Going around comes before the file is asked, and so before its end is looked at: a load beyond the end maps the
  /// neighbours below it and then fails.
  func faultRead(_ context: inout FaultContext) -> FaultResult {
    if machine.rules.faultAroundBytes > PageSize.bytes {
      let around = mapAround(&context)
      if around != [] { return around }
    }
    let (result, page) = faultPage(&context)
    guard let page else { return result }
    let finished = finishFault(&context, entering: page.frame, isPrivateCopy: false)
    page.folio.unlock()
    if finished.bringsNoPage {
      page.folio.put(to: memory)
    }
    return result.subtracting(.locked).union(finished)
  }

  /// A store to a private mapping whose page is not entered: a copy of the file's page. Kernel: `do_cow_fault`.
  func faultCopy(_ context: inout FaultContext) -> FaultResult {
    preparePrivatePages(of: context.area)
    // Before the file is asked: nothing that may need reclaim is allocated under its folio's lock.
    guard let copy = memory.allocate(order: 0) else { return .outOfMemory }
    let (result, source) = faultPage(&context)
    guard let source else {
      copy.put(to: memory)
      return result
    }
    memory.copyPage(from: source.frame, to: copy.head)
    copy.becomePrivate(page: context.page)
    #if DEBUG || ModelCheck
      machine.switches.pass(.copyReady)
    #endif
    let finished = finishFault(&context, entering: copy.head, isPrivateCopy: true)
    source.folio.unlock()
    source.folio.put(to: memory)
    if finished.bringsNoPage { copy.put(to: memory) }
    return result.subtracting(.locked).union(finished)
  }

  /// A store to a shared mapping whose page is not entered. Kernel: `do_shared_fault`.
  func faultShared(_ context: inout FaultContext) -> FaultResult {
    let (result, page) = faultPage(&context)
    guard let page else { return result }
    if context.area.notifiesOfWrites {
      page.folio.unlock()
      guard makeWritable(page.folio, in: context.area) else {
        page.folio.put(to: memory)
        return []
      }
    }
    let finished = finishFault(&context, entering: page.frame, isPrivateCopy: false)
    if finished.bringsNoPage {
      page.folio.unlock()
      page.folio.put(to: memory)
      return result.subtracting(.locked).union(finished)
    }
    markDirtyAndUnlock(page.folio, in: context.area)
    return result.subtracting(.locked).union(finished)
  }

  /// Tells the file system of the first store to a page. The folio is unlocked on entry and locked on success.
  /// Kernel: `do_page_mkwrite`.
  ///
  /// - Returns: `false` when the folio has left the file meanwhile: make the access again.
  func makeWritable(_ folio: Folio, in area: VMAPointer) -> Bool {
    guard let cache = area.pointee.cache else { return false }
    cache.pointee.contentLock.lockShared()
    defer { cache.pointee.contentLock.unlockShared() }
    folio.lock()
    guard folio.lies(in: cache), folio.index < cache.filePages else {
      folio.unlock()
      return false
    }
    cache.pointee.node._withUnsafeGuaranteedRef { $0.markDirty(folio) }
    return true
  }

  /// Kernel: `fault_dirty_shared_page`.
  func markDirtyAndUnlock(_ folio: Folio, in area: VMAPointer) {
    area.pointee.cache?.pointee.node._withUnsafeGuaranteedRef { $0.markDirty(folio) }
    folio.unlock()
  }
}

extension PhysicalMemory {
  /// Copies 4096 bytes; nothing in a machine without contents.
  func copyPage(from source: FramePointer, to target: FramePointer) {
    guard let from = contents(of: source), let to = contents(of: target) else { return }
    to.copyMemory(from: from, byteCount: Int(PageSize.bytes))
  }
}

extension Folio {
  /// Makes a fresh folio a program's private memory.
  func becomePrivate(page: UInt64) {
    head.pointee.mapping.store(Frame.anonymousMapping, ordering: .relaxed)
    head.pointee.index.store(page, ordering: .relaxed)
    insert([.uptodate, .exclusive])
  }

  /// Whether it is private memory that nobody else can see. Kernel: `PageAnonExclusive`.
  var isExclusive: Bool { isPrivate && contains(.exclusive) }

  /// Whether it is a program's private memory.
  var isPrivate: Bool { head.pointee.mapping.load(ordering: .relaxed) == Frame.anonymousMapping }
}
