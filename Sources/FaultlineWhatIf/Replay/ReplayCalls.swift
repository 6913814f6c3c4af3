import Faultline

/// What the recorded program asked of the kernel, asked of the engine: the policy steps in where it says otherwise.
struct ReplayCalls {
  let policy: Policy
  let files: EngineFiles
  let machine: Machine

  /// Applies one record.
  ///
  /// - Returns: false when the engine refuses it, as the kernel would have or because the trace is damaged.
  /// - Throws: only what ends the whole replay: no memory for an address space.
  func apply(
    _ record: TraceRecord, to spaces: inout ReplaySpaces, by task: inout FaultTask
  ) throws(KernelError) -> Bool {
    switch record.event {
    case .task(let declared): spaces.declare(task: declared.index, process: declared.process)
    case .fork(let parent, let child): try spaces.fork(parent: parent, child: child)
    case .exec(let process, _), .processEnd(let process): spaces.end(process: process)
    case .map(let mapping): return try map(mapping, in: &spaces, by: &task)
    case .unmap(let range): return unmap(range, in: &spaces)
    case .remap(let process, let page, let pages, let newPage, let newPages):
      return remap(process, page, pages, newPage, newPages, in: &spaces, by: &task)
    case .protect(let range, let protection):
      return change(range, in: &spaces) { (space, address, length) throws(KernelError) in
        try space.mprotect(address, length: length, Protection(rawValue: protection.rawValue & 7), by: &task)
      }
    case .advise(let range, let advice): return advise(range, advice, in: &spaces, by: &task)
    case .populate(let range, let how): return populate(range, how, in: &spaces, by: &task)
    case .fileAdvise, .readahead, .truncate, .fileRead: return try fileCall(record, in: &spaces)
    default: break
    }
    return true
  }

  private func map(
    _ mapping: TraceMapping, in spaces: inout ReplaySpaces, by task: inout FaultTask
  ) throws(KernelError) -> Bool {
    guard let node = files[mapping.file] else {
      // Something else comes to lie over what may have been a chosen file's mapping.
      return unmap(mapping.range, in: &spaces)
    }
    guard let (address, length) = mapping.range.bytes, mapping.filePage < 1 << 52 else { return false }
    let space = try spaces.demand(process: mapping.range.process, on: machine)
    let file = spaces.descriptor(
      process: mapping.range.process, file: mapping.file, openFile: mapping.openFile, node: node)
    do throws(KernelError) {
      try spaces.changing(space) { () throws(KernelError) in
        try space.mmap(
          address: address, length: length, protection: Protection(rawValue: mapping.protection.rawValue & 7),
          flags: [.fixed, mapping.isShared ? .shared : .private], file: file,
          offset: mapping.filePage << PageSize.shift, by: &task)
      }
      try adviseNew(space, address, length, by: &task)
    } catch {
      return false
    }
    return true
  }

  private func unmap(_ range: TraceRange, in spaces: inout ReplaySpaces) -> Bool {
    change(range, in: &spaces) { (space, address, length) throws(KernelError) in
      try space.munmap(address, length: length)
    }
  }

  /// The advice of the policy, right after the mapping appears.
  private func adviseNew(
    _ space: AddressSpace, _ address: VirtualAddress, _ length: UInt64, by task: inout FaultTask
  ) throws(KernelError) {
    let advice: Advice
    switch policy.madvise {
    case .asRecorded, .normal: return
    case .random: advice = .random
    case .sequential: advice = .sequential
    case .willNeed: advice = .willNeed
    case .populate: advice = .populateRead
    case .hugePage: advice = .hugePage
    case .noHugePage: advice = .noHugePage
    }
    try space.madvise(address, length: length, advice, by: &task)
  }

  private func advise(
    _ range: TraceRange, _ number: Int, in spaces: inout ReplaySpaces, by task: inout FaultTask
  ) -> Bool {
    guard let advice = Advice(rawValue: Int32(truncatingIfNeeded: number)) else { return true }
    let isPattern = advice == .normal || advice == .random || advice == .sequential
    if isPattern, policy.madvise != .asRecorded { return true }
    return change(range, in: &spaces) { (space, address, length) throws(KernelError) in
      try space.madvise(address, length: length, advice, by: &task)
    }
  }

  private func populate(
    _ range: TraceRange, _ how: TracePopulate, in spaces: inout ReplaySpaces, by task: inout FaultTask
  ) -> Bool {
    change(range, in: &spaces) { (space, address, length) throws(KernelError) in
      switch how {
      case .mapPopulate, .mapLocked:
        // The kernel fills the mapping inside mmap, before anybody can advise.
        try space.madvise(address, length: length, .normal, by: &task)
        try space.populate(address, length: length, by: &task)
        try adviseNew(space, address, length, by: &task)
      case .lock: try space.populate(address, length: length, by: &task)
      case .advisePopulateRead: try space.madvise(address, length: length, .populateRead, by: &task)
      case .advisePopulateWrite: try space.madvise(address, length: length, .populateWrite, by: &task)
      // Pages are locked as they are touched: nothing happens ahead.
      case .lockOnFault: break
      }
    }
  }

  private func remap(
    _ process: Int, _ page: UInt64, _ pages: UInt64, _ newPage: UInt64, _ newPages: UInt64,
    in spaces: inout ReplaySpaces, by task: inout FaultTask
  ) -> Bool {
    let target = TraceRange(process: process, page: newPage, pages: newPages)
    guard let (newAddress, newLength) = target.bytes else { return false }
    return change(TraceRange(process: process, page: page, pages: pages), in: &spaces) {
      (space, address, length) throws(KernelError) in
      let flags: RemapFlags = address == newAddress ? [] : [.mayMove, .fixed]
      try space.mremap(
        address, length: length, newLength: newLength, flags: flags, newAddress: newAddress, by: &task)
    }
  }

  /// A call on a descriptor or on the file itself, perhaps before the file is mapped.
  private func fileCall(_ record: TraceRecord, in spaces: inout ReplaySpaces) throws(KernelError) -> Bool {
    switch record.event {
    case .truncate(let file, let bytes):
      guard bytes < 1 << 62 else { return false }
      files[file]?.truncate(to: bytes)
    case .fileAdvise(let file, let offset, let length, let advice, let openFile):
      guard let advice = FileAdvice(rawValue: Int32(truncatingIfNeeded: advice)) else { return true }
      try descriptor(file, openFile, record, in: &spaces)?.advise(offset: offset, length: length, advice)
    case .readahead(let file, let offset, let length, let openFile):
      try descriptor(file, openFile, record, in: &spaces)?.readAhead(offset: offset, length: length)
    case .fileRead(let file, let offset, let length, let openFile):
      let open = try descriptor(file, openFile, record, in: &spaces)
      // Nothing fails to be read where pages have no contents.
      _ = try? open?.read(at: offset, count: length) { _, _, _ in }
    default: break
    }
    return true
  }

  private func descriptor(
    _ file: Int, _ openFile: Int?, _ record: TraceRecord, in spaces: inout ReplaySpaces
  ) throws(KernelError) -> OpenFile? {
    guard let node = files[file], let process = spaces.process(ofTask: record.task) else { return nil }
    _ = try spaces.demand(process: process, on: machine)
    return spaces.descriptor(process: process, file: file, openFile: openFile, node: node)
  }

  /// Runs a call on a range of a process. A process without chosen files has nothing to change.
  private func change(
    _ range: TraceRange, in spaces: inout ReplaySpaces,
    _ call: (AddressSpace, VirtualAddress, UInt64) throws(KernelError) -> Void
  ) -> Bool {
    guard let space = spaces.space(ofProcess: range.process) else { return true }
    guard let (address, length) = range.bytes else { return false }
    do throws(KernelError) {
      try spaces.changing(space) { () throws(KernelError) in try call(space, address, length) }
      return true
    } catch {
      // The recording knows chosen files only, so a range may reach over what was never mapped here.
      return error.errno == .ENOMEM
    }
  }
}

extension TraceRange {
  /// The range in bytes; nil when it does not fit a user address space.
  fileprivate var bytes: (address: VirtualAddress, length: UInt64)? {
    let limit = VirtualAddress.end.page
    guard pages > 0, page <= limit, pages <= limit - page else { return nil }
    return (VirtualAddress(page: page), pages << PageSize.shift)
  }
}
