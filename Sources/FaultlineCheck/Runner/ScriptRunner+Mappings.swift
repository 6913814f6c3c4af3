import Faultline

/// Operations on mappings.
extension ScriptRunner {
  /// What madvise(2) of the rules' kernels knows beyond the engine: for these an EINVAL would be a lie.
  private static let laterAdvice: Set<Int32> = [12, 13, 100, 101]

  func map(_ request: MapRequest) throws(ScriptRunError) -> Outcome {
    guard mappings.count < Self.mappingLimit else {
      throw .limit("a script makes at most \(Self.mappingLimit) mappings", line: line)
    }
    var file: OpenFile?
    if let name = request.file {
      guard let descriptor = files[try self.file(name)].descriptor else { return .failed(.EBADF) }
      file = descriptor
    }
    let wanted = page(ofArena: request.at ?? nextFreePage)
    let flags = MapFlags(rawValue: request.flags).placed(isHint: request.isHint)
    var base: VirtualAddress?
    let outcome = counted { _ throws(KernelError) in
      base = try space.mmap(
        address: wanted, length: request.length, protection: request.protection, flags: flags, file: file,
        offset: request.offset, by: &task)
    }
    guard let base else { return outcome }
    let pages = Int64(clamping: PageSize.pages(covering: request.length))
    guard pages <= Self.pageLimit else {
      throw .limit("a mapping has at most \(Self.pageLimit) pages", line: line)
    }
    for index in mappings.indices where mappings[index].name == request.name { mappings[index].isLive = false }
    mappings.append(Mapping(name: request.name, base: base, pages: pages))
    let end = arenaPage(of: base) + pages
    if !request.isHint, end >= nextFreePage { nextFreePage = (end + 1023) / 512 * 512 }
    return outcome
  }

  func unmap(_ name: String, _ range: ByteRange?) throws(ScriptRunError) -> Outcome {
    let index = try mapping(name)
    let mapping = mappings[index]
    let part = range ?? ByteRange(offset: 0, length: UInt64(mapping.pages) * PageSize.bytes)
    let outcome = counted { _ throws(KernelError) in
      try space.munmap(mapping.address(byte: part.offset), length: part.length)
    }
    if range == nil, outcome.errno == nil { mappings[index].isLive = false }
    return outcome
  }

  func protect(_ name: String, _ range: ByteRange, _ protection: Protection) throws(ScriptRunError) -> Outcome {
    let mapping = mappings[try mapping(name)]
    return counted { _ throws(KernelError) in
      try space.mprotect(mapping.address(byte: range.offset), length: range.length, protection, by: &task)
    }
  }

  func advise(_ name: String, _ range: ByteRange, _ advice: Int32) throws(ScriptRunError) -> Outcome {
    let mapping = mappings[try mapping(name)]
    guard let known = Advice(rawValue: advice) else {
      if Self.laterAdvice.contains(advice) { throw .notYetSupported(operation: "madvise \(advice)", line: line) }
      return .failed(.EINVAL)
    }
    return counted { _ throws(KernelError) in
      try space.madvise(mapping.address(byte: range.offset), length: range.length, known, by: &task)
    }
  }

  func sync(_ name: String, _ range: ByteRange, _ flags: SyncFlags) throws(ScriptRunError) -> Outcome {
    let mapping = mappings[try mapping(name)]
    return counted { _ throws(KernelError) in
      try space.msync(mapping.address(byte: range.offset), length: range.length, flags)
    }
  }

  func lock(_ name: String, _ range: ByteRange, onFault: Bool) throws(ScriptRunError) -> Outcome {
    let mapping = mappings[try mapping(name)]
    return counted { _ throws(KernelError) in
      try space.mlock(mapping.address(byte: range.offset), length: range.length, onFault: onFault, by: &task)
    }
  }

  func unlock(_ name: String, _ range: ByteRange) throws(ScriptRunError) -> Outcome {
    let mapping = mappings[try mapping(name)]
    return counted { _ throws(KernelError) in
      try space.munlock(mapping.address(byte: range.offset), length: range.length)
    }
  }

  func remap(_ request: RemapRequest) throws(ScriptRunError) -> Outcome {
    let index = try mapping(request.name)
    let mapping = mappings[index]
    let old = mapping.address(page: request.startPage)
    let oldPages = UInt64(bitPattern: request.oldPages ?? mapping.pages)
    var moved: VirtualAddress?
    var outcome = counted { _ throws(KernelError) in
      moved = try space.mremap(
        old, length: oldPages &* PageSize.bytes, newLength: request.newLength, flags: request.flags,
        newAddress: page(ofArena: request.to ?? 0), by: &task)
    }
    guard let moved else { return outcome }
    outcome.details = [.init("moved", .boolean(moved != old))]
    let result = Mapping(
      name: request.keepOldAs ?? mapping.name, base: moved, pages: Int64(clamping: request.newLength / PageSize.bytes))
    guard result.pages <= Self.pageLimit else {
      throw .limit("a mapping has at most \(Self.pageLimit) pages", line: line)
    }
    if request.keepOldAs == nil {
      mappings[index] = result
    } else {
      mappings.append(result)
    }
    return outcome
  }

  func page(ofArena page: Int64) -> VirtualAddress {
    VirtualAddress(rawValue: Self.arena.rawValue &+ UInt64(bitPattern: page) &* PageSize.bytes)
  }

  func arenaPage(of address: VirtualAddress) -> Int64 {
    Int64(bitPattern: address.rawValue &- Self.arena.rawValue) / Int64(PageSize.bytes)
  }
}
