import Faultline

/// What every result ends with: the pages of each mapping, the cached pages of each file.
extension ScriptRunner {
  func snapshot() -> [JSONValue.Member] {
    let maps = mappings.filter(\.isLive).map { JSONValue.Member($0.name, state(of: $0)) }
    let files = files.map { JSONValue.Member($0.name, state(of: $0.node)) }
    return [.init("maps", .object(maps)), .init("files", .object(files))]
  }

  private func state(of mapping: Mapping) -> JSONValue {
    var kinds: [Int64: String] = [:]
    var sum = FNV()
    var unreadable: Int64 = 0
    var read: [VirtualAddress] = []
    let first = mapping.base.page
    space.forEachMappedPage(in: first..<first &+ UInt64(mapping.pages)) { page, mapped, contents in
      let index = page - first
      kinds[Int64(index)] = letters(of: mapped)
      guard mapped.isReadable, let contents else {
        unreadable += 1
        return
      }
      sum.add(index)
      sum.add(contents)
      read.append(VirtualAddress(page: page))
    }
    space.forEachMarkedPage(in: first..<first &+ UInt64(mapping.pages)) { kinds[Int64($0 - first)] = "S" }
    // The recorder sums through the mapping, which marks its entries accessed.
    var observer = FaultTask()
    for address in read { _ = space.access(address, .read, by: &observer) }
    let runs = RunLengths.of(mapping.pages) { kinds[$0] }
    var members: [JSONValue.Member] = [
      .init("at", .integer(arenaPage(of: mapping.base))), .init("n", .integer(mapping.pages)),
      .init("pres", .array(runs.map { .array([.integer($0.start), .integer($0.count), .string($0.value)]) })),
    ]
    if unreadable > 0 { members.append(.init("unread", .integer(unreadable))) }
    members.append(.init("sum", .string(sum.hexadecimal)))
    return .object(members)
  }

  private func state(of node: FileNode) -> JSONValue {
    let pages = min(Int64(clamping: PageSize.pages(covering: node.size)), Self.pageLimit)
    let runs = RunLengths.of(pages) { node.isResident(UInt64($0)) ? true : nil }
    return .object([
      .init("size", .integer(Int64(clamping: node.size))),
      .init("res", .array(runs.map { .array([.integer($0.start), .integer($0.count)]) })),
    ])
  }
}

extension ScriptRunner {
  /// As the recordings call it. A kernel without PAGEMAP_SCAN tells the zero page from no other private page, huge
  /// entries from no others, and the huge page of zeroes from no file's.
  private func letters(of page: MappedPage) -> String {
    if page.isDirect, !page.isHuge, !rules.direct.countsPages { return "A" }
    guard rules.hasPagemapScan else {
      return page.kind == .file || page.kind == .zero && page.isHuge ? "F" : "A"
    }
    let letter =
      switch page.kind {
      case .file: "F"
      case .anonymous: "A"
      case .zero: "Z"
      }
    return page.isHuge ? letter + "H" : letter
  }
}
