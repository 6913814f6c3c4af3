import CLinux
import Faultline
import Glibc

/// What every result ends with: the pages of each mapping, the cached pages of each file.
extension KernelProgram {
  func snapshot() throws(ScriptRunError) -> [JSONValue.Member] {
    var maps: [JSONValue.Member] = []
    for mapping in mappings where mapping.isLive { maps.append(.init(mapping.name, try state(of: mapping))) }
    var states: [JSONValue.Member] = []
    for file in files { states.append(.init(file.name, try state(of: file))) }
    return [.init("maps", .object(maps)), .init("files", .object(states))]
  }

  private func state(of mapping: ScriptRunner.Mapping) throws(ScriptRunError) -> JSONValue {
    var letters = [UInt8](repeating: 0, count: Int(mapping.pages))
    let scanned = cl_page_letters(pagemap, mapping.base.rawValue, letters.count, &letters)
    guard scanned >= 0 else { throw .host("page tables cannot be scanned (\(KernelCall.errnoName(-scanned)))") }
    var sum: UInt64 = 0
    let unreadable = cl_page_sum(mapping.base.rawValue, letters.count, letters, &sum)
    let runs = RunLengths.of(mapping.pages) { letters[Int($0)] == 0 ? nil : letters[Int($0)] }
    var members: [JSONValue.Member] = [
      .init("at", .integer(arenaPage(of: mapping.base))), .init("n", .integer(mapping.pages)),
      .init(
        "pres", .array(runs.map { .array([.integer($0.start), .integer($0.count), .string(Self.kind($0.value))]) })),
    ]
    if unreadable > 0 { members.append(.init("unread", .integer(unreadable))) }
    members.append(.init("sum", .string(FNV.hexadecimal(sum))))
    return .object(members)
  }

  /// A letter of the page table as the recordings call it; the highest bit stands for a huge entry.
  private static func kind(_ letter: UInt8) -> String {
    String(Character(Unicode.Scalar(letter & 0x7F))) + (letter & 0x80 != 0 ? "H" : "")
  }

  private func state(of file: File) throws(ScriptRunError) -> JSONValue {
    var status = stat()
    fstat(file.observer, &status)
    let pages = min(Int64(clamping: PageSize.pages(covering: UInt64(clamping: status.st_size))), ScriptRunner.pageLimit)
    var resident = [UInt8](repeating: 0, count: Int(pages))
    if pages > 0 {
      let length = Int(pages) * Int(PageSize.bytes)
      guard let base = mmap(nil, length, PROT_READ, MAP_SHARED, file.observer, 0), base != MAP_FAILED else {
        throw .host("\(file.name) cannot be mapped to look at it (\(KernelCall.errnoName(errno)))")
      }
      mincore(base, length, &resident)
      munmap(base, length)
    }
    let runs = RunLengths.of(pages) { resident[Int($0)] & 1 == 1 ? true : nil }
    return .object([
      .init("size", .integer(Int64(status.st_size))),
      .init("res", .array(runs.map { .array([.integer($0.start), .integer($0.count)]) })),
    ])
  }
}
