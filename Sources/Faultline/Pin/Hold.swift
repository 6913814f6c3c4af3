/// The calls. Kernel: `pin_user_pages_fast` and `get_user_pages_fast` with their `_fast_only` forms.
extension AddressSpace {
  /// Pins the pages of a range: first what the walk without locks gets, then the rest through the fault handler.
  ///
  /// - Parameters:
  ///   - range: bytes; every page that they touch is pinned.
  ///   - form: whether every page is recorded or only heads.
  /// - Returns: all pages, or fewer when a later one cannot be had: see ``PinnedPages/pageCount``.
  /// - Throws: when the first page cannot be had: `EFAULT`, `ENOMEM`, `EAGAIN` with ``PinFlags/noWait``, `EOPNOTSUPP`
  ///   for ``PinFlags/longTerm`` on a file whose pages are a device's own; `EINVAL` past the address space. `EFAULT`
  ///   too with ``PinFlags/noFault`` for what is not entered, and for long stores to files that must be told of them.
  public func pin(
    _ range: Range<VirtualAddress>, _ flags: PinFlags = [], form: PinnedPages.Form = .pages, by task: inout FaultTask
  ) throws(KernelError) -> PinnedPages {
    try hold(range, .pin, flags, form, by: &task)
  }

  /// Takes a reference on each page of a range; as ``pin(_:_:form:by:)`` otherwise, but for no longer than a system
  /// call takes.
  ///
  /// - Throws: as ``pin(_:_:form:by:)``, and `EINVAL` for ``PinFlags/longTerm``.
  public func get(
    _ range: Range<VirtualAddress>, _ flags: PinFlags = [], form: PinnedPages.Form = .pages, by task: inout FaultTask
  ) throws(KernelError) -> PinnedPages {
    try hold(range, .reference, flags, form, by: &task)
  }

  private func hold(
    _ range: Range<VirtualAddress>, _ kind: HoldKind, _ flags: PinFlags, _ form: PinnedPages.Form,
    by task: inout FaultTask
  ) throws(KernelError) -> PinnedPages {
    let pages = try pages(of: range, flags, kind)
    var held = PinnedPages(kind, of: machine, form: form, capacity: min(pages.count, 1 << 20))
    if let refusal = hold(pages, flags.union(.unlockable), into: &held, by: &task), held.pageCount == 0 {
      throw refusal.error(of: range)
    }
    return held
  }

  /// Takes hold of the pages of a range and records them behind those that `held` has, in the way that it has.
  ///
  /// - Returns: the pages that were recorded.
  /// - Throws: as ``pin(_:_:form:by:)``; then nothing more is held than before.
  @discardableResult
  public func hold(
    _ range: Range<VirtualAddress>, _ flags: PinFlags = [], into held: inout PinnedPages, by task: inout FaultTask
  ) throws(KernelError) -> UInt64 {
    let before = held.pageCount
    let refusal = hold(
      try pages(of: range, flags, held.kind), flags.union(.unlockable), into: &held, by: &task)
    if let refusal, held.pageCount == before { throw refusal.error(of: range) }
    return held.pageCount - before
  }

  /// First what the walk without locks gets, where such a walk may be, then the rest.
  ///
  /// - Returns: why the first page that is not recorded could not be had; `nil` when all are.
  @discardableResult
  func hold(
    _ pages: Range<UInt64>, _ flags: PinFlags, into held: inout PinnedPages, by task: inout FaultTask
  ) -> Refusal? {
    if held.kind == .pin { noteFirstPin() }
    var fast: UInt64 = 0
    if flags.isDisjoint(with: [.force, .longTerm, .remote]) {
      fast = holdFast(pages, flags, into: &held, by: &task)
      if machine.events.isListening { noteHolds(of: pages.lowerBound..<pages.lowerBound + fast, by: &task) }
    }
    guard fast < pages.count else { return nil }
    return holdSlowly(pages.lowerBound + fast..<pages.upperBound, flags, into: &held, by: &task)
  }

  /// Takes hold of what is entered now, without a lock and without a fault: for who cannot wait. Kernel:
  /// `pin_user_pages_fast_only`.
  ///
  /// - Returns: the pages that were recorded: fewer than the range has, or none, when something is missing or changes.
  /// - Throws: `EINVAL` past the address space, or for flags that the walk cannot honour: `force`, `longTerm`.
  public func holdNow(
    _ range: Range<VirtualAddress>, _ flags: PinFlags = [], into held: inout PinnedPages, by task: inout FaultTask
  ) throws(KernelError) -> UInt64 {
    guard flags.isDisjoint(with: [.force, .longTerm]) else {
      throw KernelError(.EINVAL, "a walk without locks sees no area: it can neither force nor pin for long")
    }
    let pages = try pages(of: range, flags, held.kind)
    if held.kind == .pin { noteFirstPin() }
    return holdFast(pages, flags, into: &held, by: &task)
  }

  /// Says, once and for ever, that pages of this address space may be pinned: a fork looks at it after it has announced
  /// its copy, and a pin looks for that announcement after this. Kernel: `mm_set_has_pinned_flag`.
  @inline(__always)
  private func noteFirstPin() {
    // Threads that pin would otherwise meet in this word each time.
    if hasPinned.load(ordering: .sequentiallyConsistent) == 0 { hasPinned.store(1, ordering: .sequentiallyConsistent) }
  }

  private func pages(
    of range: Range<VirtualAddress>, _ flags: PinFlags, _ kind: HoldKind
  ) throws(KernelError) -> Range<UInt64> {
    guard range.upperBound <= .end else {
      throw KernelError(.EINVAL, "pages up to \(range.upperBound), past the end of the address space")
    }
    guard kind == .pin || !flags.contains(.longTerm) else {
      throw KernelError(.EINVAL, "references are for a moment: only a pin can be for long")
    }
    return range.lowerBound.page..<PageSize.pages(covering: range.upperBound.rawValue)
  }
}

extension AddressSpace.Refusal {
  fileprivate func error(of range: Range<VirtualAddress>) -> KernelError {
    let place = "the page at \(range.lowerBound)"
    return switch self {
    case .fault: KernelError(.EFAULT, "\(place) cannot be had: nothing there allows it")
    case .longTerm:
      KernelError(.EOPNOTSUPP, "\(place) is a device's own, and a pin for long would keep its file from shrinking")
    case .memory: KernelError(.ENOMEM, "no memory for \(place), or it is held too often")
    case .missing: KernelError(.EFAULT, "\(place) is not there, and nothing may fault it in")
    case .absent: KernelError(.EAGAIN, "\(place) is on its way or somebody else's, and nobody may wait: ask again")
    }
  }
}
