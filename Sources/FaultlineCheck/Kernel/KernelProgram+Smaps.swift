import Faultline
import Glibc

/// `/proc/self/smaps` of one mapping.
extension KernelProgram {
  private static let amounts = [
    "Rss", "Shared_Clean", "Shared_Dirty", "Private_Clean", "Private_Dirty", "Referenced", "Anonymous", "LazyFree",
    "AnonHugePages", "ShmemPmdMapped", "FilePmdMapped", "Locked", "THPeligible",
  ]

  func smaps(of mapping: ScriptRunner.Mapping) throws(ScriptRunError) -> JSONValue {
    guard let text = Self.contents(of: "/proc/self/smaps") else {
      throw .host("/proc/self/smaps cannot be read (\(KernelCall.errnoName(errno)))")
    }
    let first = mapping.base.page
    let pages = first..<first &+ UInt64(mapping.pages)
    var areas: [[JSONValue.Member]] = []
    var isInside = false
    for line in text.split(separator: "\n") {
      if let area = SmapsArea(line) {
        isInside = area.pages.overlaps(pages)
        if isInside { areas.append(area.members(from: first)) }
      } else if isInside, let member = Self.member(line) {
        areas[areas.count - 1].append(member)
      }
    }
    return .array(areas.map(JSONValue.object))
  }

  private static func member(_ line: Substring) -> JSONValue.Member? {
    guard let colon = line.firstIndex(of: ":") else { return nil }
    let key = String(line[..<colon])
    let words = line[line.index(after: colon)...].split(separator: " ")
    if key == "VmFlags" { return .init(key, .string(words.joined(separator: " "))) }
    guard amounts.contains(key), let amount = words.first.flatMap({ Int64($0) }) else { return nil }
    return .init(key, .integer(amount))
  }

  static func contents(of path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = read(descriptor, &piece, piece.count)
      guard count > 0 else { break }
      bytes += piece[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// The line with which an area begins.
private struct SmapsArea {
  let pages: Range<UInt64>
  private let permissions: String
  private let fileOffset: UInt64

  init?(_ line: Substring) {
    let words = line.split(separator: " ")
    guard words.count >= 3, let range = words.first?.split(separator: "-"), range.count == 2,
      let start = UInt64(range[0], radix: 16), let end = UInt64(range[1], radix: 16), start < end,
      let offset = UInt64(words[2], radix: 16)
    else { return nil }
    pages = start >> PageSize.shift..<end >> PageSize.shift
    permissions = String(words[1])
    fileOffset = offset
  }

  func members(from first: UInt64) -> [JSONValue.Member] {
    [
      .init("start", .integer(Int64(bitPattern: pages.lowerBound) - Int64(bitPattern: first))),
      .init("n", .integer(Int64(pages.count))), .init("perms", .string(permissions)),
      .init("pgoff", .integer(Int64(clamping: fileOffset >> PageSize.shift))),
    ]
  }
}
