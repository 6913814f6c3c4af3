import CLinux
import Faultline
import Glibc

/// Operations on mappings.
extension KernelProgram {
  func map(_ request: MapRequest) throws(ScriptRunError) -> Outcome {
    guard mappings.count < ScriptRunner.mappingLimit else {
      throw .limit("a script makes at most \(ScriptRunner.mappingLimit) mappings", line: line)
    }
    let descriptor =
      try request.file.map { name throws(ScriptRunError) in files[try file(name)].descriptor ?? -1 } ?? -1
    let wanted = address(ofArena: request.at ?? nextFreePage)
    var outcome = KernelCall.measured(
      KernelCall.map, wanted, request.length, request.protection.rawValue,
      MapFlags(rawValue: request.flags).placed(isHint: request.isHint).rawValue,
      UInt64(bitPattern: Int64(descriptor)), request.offset)
    guard outcome.errno == nil else { return outcome }
    let base = VirtualAddress(rawValue: UInt64(bitPattern: outcome.returned))
    outcome.returned = 0
    let pages = Int64(clamping: PageSize.pages(covering: request.length))
    guard pages <= ScriptRunner.pageLimit else {
      throw .limit("a mapping has at most \(ScriptRunner.pageLimit) pages", line: line)
    }
    for index in mappings.indices where mappings[index].name == request.name { mappings[index].isLive = false }
    mappings.append(.init(name: request.name, base: base, pages: pages))
    let end = arenaPage(of: base) + pages
    if !request.isHint, end >= nextFreePage { nextFreePage = (end + 1023) / 512 * 512 }
    return outcome
  }

  func unmap(_ name: String, _ range: ByteRange?) throws(ScriptRunError) -> Outcome {
    let index = try mapping(name)
    let length = UInt64(mappings[index].pages) * PageSize.bytes
    let outcome = try call(mapping: name, KernelCall.unmap, range ?? ByteRange(offset: 0, length: length), 0)
    if range == nil, outcome.errno == nil { mappings[index].isLive = false }
    return outcome
  }

  /// A call on a range of a mapping, with one argument more.
  func call(
    mapping name: String, _ number: Int64, _ range: ByteRange, _ argument: UInt64
  ) throws(ScriptRunError) -> Outcome {
    let mapping = mappings[try mapping(name)]
    return KernelCall.measured(number, mapping.address(byte: range.offset).rawValue, range.length, argument)
  }

  func remap(_ request: RemapRequest) throws(ScriptRunError) -> Outcome {
    let index = try mapping(request.name)
    let mapping = mappings[index]
    let old = mapping.address(page: request.startPage)
    let oldPages = UInt64(bitPattern: request.oldPages ?? mapping.pages)
    var outcome = KernelCall.measured(
      KernelCall.remap, old.rawValue, oldPages &* PageSize.bytes, request.newLength, request.flags.rawValue,
      address(ofArena: request.to ?? 0))
    guard outcome.errno == nil else { return outcome }
    let moved = VirtualAddress(rawValue: UInt64(bitPattern: outcome.returned))
    outcome.returned = 0
    outcome.details = [.init("moved", .boolean(moved != old))]
    let result = ScriptRunner.Mapping(
      name: request.keepOldAs ?? mapping.name, base: moved, pages: Int64(clamping: request.newLength / PageSize.bytes))
    guard result.pages <= ScriptRunner.pageLimit else {
      throw .limit("a mapping has at most \(ScriptRunner.pageLimit) pages", line: line)
    }
    if request.keepOldAs == nil {
      mappings[index] = result
    } else {
      mappings.append(result)
    }
    return outcome
  }

  private func address(ofArena page: Int64) -> UInt64 {
    ScriptRunner.arena.rawValue &+ UInt64(bitPattern: page) &* PageSize.bytes
  }

  func arenaPage(of address: VirtualAddress) -> Int64 {
    Int64(bitPattern: address.rawValue &- ScriptRunner.arena.rawValue) / Int64(PageSize.bytes)
  }
}
