/// The grammar, operation by operation.
extension Arguments {
  mutating func operation() throws(ScriptError) -> Operation {
    settleMilliseconds = try integerOption("settle")
    guard settleMilliseconds ?? 0 >= 0 else { throw wrong("settle=", expected: "a number of milliseconds") }
    let operation: Operation =
      if let file = try fileOperation() {
        file
      } else if let mapping = try mappingOperation() {
        mapping
      } else if let access = try accessOperation() {
        access
      } else if let observation = try observation() {
        observation
      } else {
        throw ScriptError(line: line, token: keyword, problem: .unknownOperation)
      }
    try end()
    return operation
  }

  private mutating func fileOperation() throws(ScriptError) -> Operation? {
    if let mode = AllocateMode(rawValue: keyword) {
      let keepSize = flag("keep")
      return .allocate(file: try file(), mode, try range(), keepSize: keepSize)
    }
    switch keyword {
    case "mkfile": return .makeFile(try makeFile())
    case "open": return .openFile(try openRequest())
    case "close": return .closeFile(try file())
    case "unlink": return .unlinkFile(try file())
    case "trunc": return .truncate(file: try file(), size: try bytes("the new size"))
    case "fadvise": return .adviseFile(file: try file(), try range(), try fileAdvice())
    case "readahead": return .readAhead(file: try file(), try range())
    case "drop": return .drop(file: try file())
    case "fsync": return .syncFile(try file(), dataOnly: false)
    case "fdatasync": return .syncFile(try file(), dataOnly: true)
    case "pread": return .readFile(try file(), try range())
    case "pwrite":
      let seed = try integerOption("seed")
      return .writeFile(try file(), try range(), seed: UInt64(bitPattern: seed ?? 99))
    default: return nil
    }
  }

  private mutating func mappingOperation() throws(ScriptError) -> Operation? {
    switch keyword {
    case "mmap": return .map(try mapRequest())
    case "munmap":
      let mapping = try mapping()
      return .unmap(mapping, isEmpty ? nil : try range())
    case "mprotect": return .protect(try mapping(), try range(), try protection())
    case "msync": return .sync(try mapping(), try range(), try syncFlags())
    case "madvise": return .advise(try mapping(), try range(), advice: try memoryAdvice())
    case "mlock": return .lock(try mapping(), try range(), onFault: false)
    case "mlockonfault": return .lock(try mapping(), try range(), onFault: true)
    case "munlock": return .unlock(try mapping(), try range())
    case "mremap": return .remap(try remapRequest())
    default: return nil
    }
  }

  private mutating func accessOperation() throws(ScriptError) -> Operation? {
    if let kind = TransferRequest.Kind(rawValue: keyword) { return .transfer(try transfer(kind)) }
    switch keyword {
    case "read": return .access(try access(.read))
    case "write": return .access(try access(.write))
    case "rmw": return .access(try access(.readModifyWrite))
    case "exec": return .access(try access(.execute))
    case "touchseq", "touchrev", "touchstride", "touchrand", "touchlist": return .touch(try touch())
    default: return nil
    }
  }

  private mutating func observation() throws(ScriptError) -> Operation? {
    switch keyword {
    case "settle":
      let milliseconds = try integer("a number of milliseconds")
      guard milliseconds >= 0 else { throw wrong(String(milliseconds), expected: "a number of milliseconds") }
      return .settle(milliseconds: milliseconds)
    case "smaps": return .observe(.smaps(try mapping()))
    case "folios": return .observe(.folios(try mapping()))
    case "ffolios": return .observe(.fileFolios(try file()))
    case "fiemap": return .observe(.extents(try file()))
    case "fsum": return .observe(.fileSum(try file()))
    default: return nil
    }
  }

  private mutating func file() throws(ScriptError) -> String { try word("the name of a file") }
  private mutating func mapping() throws(ScriptError) -> String { try word("the name of a mapping") }

  private mutating func makeFile() throws(ScriptError) -> MakeFile {
    var options: MakeFile.Options = []
    if flag("cold") { options.insert(.cold) }
    if flag("nosync") { options.insert(.noSync) }
    if flag("reopen") { options.insert(.reopen) }
    let seed = try integerOption("seed").map(UInt64.init(bitPattern:))
    let fill: MakeFile.Fill = try choiceOption("fill") ?? .pattern
    let chunk = try integerOption("chunk") ?? 1
    guard chunk > 0 else { throw wrong("chunk=\(chunk)", expected: "a number of pages, at least 1") }
    return MakeFile(
      name: try word("a name for the file"), size: try bytes("a size in pages"), seed: seed, fill: fill,
      chunkPages: chunk, options: options)
  }

  private mutating func openRequest() throws(ScriptError) -> OpenRequest {
    let fileName = option("as")
    let seed = try integerOption("seed").map(UInt64.init(bitPattern:))
    let name = try word("a name for the descriptor")
    return OpenRequest(name: name, mode: isEmpty ? .readWrite : try choice("a mode"), fileName: fileName, seed: seed)
  }

  private mutating func mapRequest() throws(ScriptError) -> MapRequest {
    let isHint = flag("hint")
    let at = try integerOption("at")
    let name = try word("a name for the mapping")
    let file = try word("the name of a file, or -")
    return MapRequest(
      name: name, file: file == "-" ? nil : file, offset: try bytes("an offset in the file"),
      length: try bytes("a length"), protection: try protection(), flags: try mapFlags(), at: at, isHint: isHint)
  }

  private mutating func remapRequest() throws(ScriptError) -> RemapRequest {
    let keep = flag("dontunmap")
    let to = try integerOption("to")
    let keepOldAs = keep ? option("as") ?? "MOVED" : nil
    let mayMove = flag("may") || to != nil || keep
    let start = try integerOption("start") ?? 0
    let oldPages = try integerOption("len")
    return RemapRequest(
      name: try mapping(), newLength: try bytes("a new length"), startPage: start, oldPages: oldPages, to: to,
      mayMove: mayMove, keepOldAs: keepOldAs)
  }

  private mutating func access(_ kind: AccessRequest.Kind) throws(ScriptError) -> AccessRequest {
    // Reads look at the page's first word, writes leave that one alone: it begins with the instruction `exec` calls.
    let offset = try integerOption("off") ?? (kind == .read || kind == .execute ? 0 : 64)
    let value = option("val")
    let mapping = try mapping()
    let page = try integer("a page")
    return AccessRequest(
      kind: kind, mapping: mapping, page: page, offset: offset,
      value: try value.map { text throws(ScriptError) in try parseBits(text, expected: "a number for val=") }
        ?? Pattern.splitmix(UInt64(bitPattern: page)))
  }

  private mutating func transfer(_ kind: TransferRequest.Kind) throws(ScriptError) -> TransferRequest {
    let seed = try integerOption("seed")
    let mapping = try mapping()
    let range = try range()
    let defaultSeed: Int64 = kind == .forcedWrite ? 78 : 77
    var request = TransferRequest(
      kind: kind, mapping: mapping, range: range, file: nil, fileOffset: 0,
      seed: UInt64(bitPattern: seed ?? defaultSeed))
    switch kind {
    case .directRead, .directWrite, .bufferedRead, .bufferedWrite:
      request.file = try file()
      request.fileOffset = try bytes("an offset in the file")
    case .remoteRead, .remoteWrite, .forcedRead, .forcedWrite, .splice: break
    }
    return request
  }
}
