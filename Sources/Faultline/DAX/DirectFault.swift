/// Faults on files with DAX, as the file systems' handlers wrap them. Kernel: `ext4_dax_huge_fault`,
/// `xfs_filemap_fault`.
extension AddressSpace {
  /// A page where nothing is entered, or a store to one that is entered read-only.
  func faultDirect(_ context: inout FaultContext) -> FaultResult {
    if context.flags.contains(.vmaLock), context.area.traits?.faultsUnderAreaLock != true {
      unlock(context.area, after: context.flags)
      return .retry
    }
    guard context.prepareTable() else { return .outOfMemory }
    guard context.isWrite, !context.area.flags.contains(.shared) else {
      return handleDirect(&context, .page, copy: nil)
    }
    preparePrivatePages(of: context.area)
    guard let copy = memory.allocate(order: 0) else { return .outOfMemory }
    let result = handleDirect(&context, .page, copy: copy)
    if !result.contains(.doneCopy) { copy.put(to: memory) }
    return result
  }

  /// 2 MiB where no table is; `nil` when the access goes on by single pages. Kernel: `create_huge_pmd`.
  func faultDirectHuge(_ context: inout FaultContext) -> FaultResult? {
    guard !context.area.flags.contains(.noHugePage) else { return nil }
    let result = handleDirect(&context, .huge, copy: nil)
    return result.contains(.fallback) ? nil : result
  }

  /// A store to 2 MiB that are entered read-only; `nil` when they must be split. Kernel: `wp_huge_pmd`.
  func storeDirectHuge(_ context: inout FaultContext) -> FaultResult? {
    let isPrivate = context.area.flags.isDisjoint(with: [.shared, .mayShare])
    if isPrivate, !machine.rules.direct.asksForPrivateHuge { return nil }
    let result = handleDirect(&context, .huge, copy: nil)
    return result.contains(.fallback) ? nil : result
  }

  /// The file system's part: blocks stay where they are during the fault, a store runs inside a handle, and what the
  /// core could not enter yet is committed when the handle is closed.
  private func handleDirect(_ context: inout FaultContext, _ size: DirectSize, copy: Folio?) -> FaultResult {
    if let device = context.area.device { return faultDevice(device, size, &context) }
    guard let file = context.area.file?.node.dax else { return .busError }
    let fault = DirectFault(file: file, size: size, stores: context.isWrite && context.area.flags.contains(.shared))
    file.cache.pointee.contentLock.lockShared()
    defer { file.cache.pointee.contentLock.unlockShared() }
    guard fault.stores else { return serve(fault, &context, copy: copy).result }
    var outcome = serveInHandle(fault, &context)
    // Blocks that were just freed come back with the commit that frees them. Kernel: `ext4_should_retry_alloc`.
    if outcome.result.isError, outcome.errno == .ENOSPC, (try? file.file.commit(dataOnly: false)) != nil {
      outcome = serveInHandle(fault, &context)
    }
    #if DEBUG || ModelCheck
      if outcome.result.contains(.needsDataSync), machine.switches.has(.entersWithoutSync), let frame = outcome.frame {
        return enterDirect(frame, size, storing: true, &context)
      }
    #endif
    guard outcome.result.contains(.needsDataSync), let frame = outcome.frame else { return outcome.result }
    context.direct.insert(.needsDataSync)
    return finishSyncFault(file, size, frame, &context)
  }

  private func serveInHandle(_ fault: DirectFault, _ context: inout FaultContext) -> DirectFault.Outcome {
    do throws(KernelError) {
      try fault.file.file.beginHandle()
    } catch {
      return DirectFault.Outcome(.busError, errno: error.errno)
    }
    defer { fault.file.file.endHandle() }
    return serve(fault, &context, copy: nil)
  }

  private func serve(_ fault: DirectFault, _ context: inout FaultContext, copy: Folio?) -> DirectFault.Outcome {
    fault.size == .huge ? serveHuge(fault, &context) : servePage(fault, &context, copy)
  }

  /// Makes durable what a crash would need to find the page, then enters it writable. Nothing was entered before.
  /// Kernel: `dax_finish_sync_fault`.
  ///
  /// The range that is synced begins at the faulting page, also for 2 MiB. What comes of the fault replaces what was
  /// known of it, so a fault that allocated counts as minor.
  private func finishSyncFault(
    _ file: DirectFile, _ size: DirectSize, _ frame: FrameNumber, _ context: inout FaultContext
  ) -> FaultResult {
    let index = context.filePage
    do throws(KernelError) {
      try file.sync(index..<index + size.pageCount, dataOnly: true)
    } catch {
      return .busError
    }
    context.direct.insert(.synced)
    guard let entry = file.relock(index, size) else {
      events.note(EngineEvent(.directInsertNoEntry, file, context, .noPage))
      return .noPage
    }
    let result = enterDirect(frame, size, storing: true, &context)
    file.unlock(entry, at: index)
    events.note(EngineEvent(.directInsert, file, context, result))
    return result
  }
}

/// One fault on a file with DAX: what the file system's handler hands to the core.
struct DirectFault {
  let file: DirectFile
  let size: DirectSize
  /// Whether the file itself is stored to. A private mapping's store only reads the file, so that it needs no handle.
  let stores: Bool

  /// How the core ended.
  struct Outcome {
    var result: FaultResult
    /// What must be committed before it is entered.
    var frame: FrameNumber?
    /// Why the file system refused.
    var errno: Errno?

    init(_ result: FaultResult, frame: FrameNumber? = nil, errno: Errno? = nil) {
      self.result = result
      self.frame = frame
      self.errno = errno
    }
  }

  var request: IOMapRequest { stores ? [.fault, .write] : .fault }

  /// The bytes of the file that the fault is about.
  func bytes(at filePage: UInt64) -> Range<UInt64> {
    let start = size.first(of: filePage) << PageSize.shift
    return start..<start + size.byteCount
  }

  /// Where a piece of a file was found.
  enum Place {
    case frame(FrameNumber)
    /// The blocks are too few, not aligned, or behind the end of the device.
    case unsuitable
    case damaged
  }

  /// The frame that shows the piece which begins at byte `position`, from what the file system says of it. One way for
  /// both sizes. Kernel: `dax_iomap_direct_access`.
  func place(of map: IOMap, at position: UInt64) -> Place {
    let (address, overflow) = map.address.addingReportingOverflow(position &- map.range.lowerBound)
    let page = address >> PageSize.shift
    guard map.range.contains(position), map.range.upperBound - position >= size.byteCount, !overflow,
      address & (size.byteCount - 1) == 0, page < file.device.pageCount,
      size.pageCount <= file.device.pageCount - page
    else { return .unsuitable }
    if let damaged = file.device.firstDamagedPage(in: page..<page + size.pageCount) {
      // Less than 2 MiB can be had where a later page is damaged.
      return damaged == page ? .damaged : .unsuitable
    }
    return .frame(file.memory.number(of: file.backing.pages.frame(ofPage: page)))
  }

  /// Whether the store must wait until the file's metadata is durable. Kernel: `dax_fault_is_synchronous`.
  func isSynchronous(_ map: IOMap, in area: VMAPointer) -> Bool {
    stores && area.flags.contains(.sync) && map.flags.contains(.dirty)
  }
}
