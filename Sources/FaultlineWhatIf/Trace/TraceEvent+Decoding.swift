/// Takes the words of one payload in order; `nil` from any call means that the payload is damaged.
struct PayloadReader {
  private var words: UnsafeBufferPointer<UInt64>
  private var next = 0

  init(_ words: UnsafeBufferPointer<UInt64>) { self.words = words }

  var remaining: Int { words.count - next }

  mutating func word() -> UInt64? {
    guard next < words.count else { return nil }
    defer { next += 1 }
    return UInt64(littleEndian: words[next])
  }

  mutating func signed() -> Int? { word().map { Int(Int64(bitPattern: $0)) } }
  /// A number that counts or indexes something, so never negative and small enough for arithmetic.
  mutating func count() -> Int? { signed().flatMap { $0 >= 0 && $0 < 1 << 48 ? $0 : nil } }
  /// A page number or a number of pages: what a 64-bit address space can hold.
  mutating func pages() -> UInt64? { word().flatMap { $0 < 1 << 52 ? $0 : nil } }
  mutating func flag() -> Bool? { word().flatMap { $0 < 2 ? $0 == 1 : nil } }

  /// A number at the end of a payload, which older traces do not have.
  mutating func lastCount() -> Int? { remaining > 0 ? count() : nil }

  mutating func text() -> String? {
    guard let length = count(), (length + 7) / 8 <= remaining else { return nil }
    defer { next += (length + 7) / 8 }
    let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(words)[(next * 8)..<(next * 8 + length)])
    return String(decoding: bytes, as: UTF8.self)
  }

  mutating func range() -> TraceRange? {
    guard let process = count(), let page = pages(), let pages = pages() else { return nil }
    return TraceRange(process: process, page: page, pages: pages)
  }
}

extension TraceEvent {
  /// The event of a payload; nil when it is damaged.
  init?(kind: TraceEventKind, words: UnsafeBufferPointer<UInt64>) {
    var input = PayloadReader(words)
    guard
      let event = TraceEvent.decodeTrace(kind, &input) ?? TraceEvent.decodeMemory(kind, &input)
        ?? TraceEvent.decodeFile(kind, &input)
    else { return nil }
    self = event
  }

  private static func decodeTrace(_ kind: TraceEventKind, _ input: inout PayloadReader) -> TraceEvent? {
    switch kind {
    case .commandLine:
      guard let count = input.count(), count <= input.remaining else { return nil }
      var arguments: [String] = []
      for _ in 0..<count {
        guard let argument = input.text() else { return nil }
        arguments.append(argument)
      }
      return .commandLine(arguments)
    case .environment:
      guard let user = input.count(), let kernel = input.flag(), let release = input.text(), let machine = input.text()
      else { return nil }
      return .environment(
        TraceEnvironment(kernelRelease: release, machine: machine, userID: user, kernelFaultsVisible: kernel))
    case .task:
      guard let index = input.count(), index < 1 << 16, let thread = input.count(), let id = input.count(),
        let process = input.count(), let name = input.text()
      else { return nil }
      return .task(TraceTask(index: index, threadID: thread, processID: id, process: process, name: name))
    case .fork:
      guard let parent = input.count(), let child = input.count() else { return nil }
      return .fork(parent: parent, child: child)
    case .exec:
      guard let process = input.count(), let path = input.text() else { return nil }
      return .exec(process: process, path: path)
    case .taskExit: return input.signed().map { .taskExit(status: $0) }
    case .processEnd: return input.count().map { .processEnd(process: $0) }
    case .lost: return input.count().map { .lost($0) }
    case .warning: return input.text().map { .warning($0) }
    case .end:
      guard let killed = input.flag(), let value = input.signed() else { return nil }
      return .end(killed ? .killed(signal: value) : .exited(code: value))
    default: return nil
    }
  }

  private static func decodeMemory(_ kind: TraceEventKind, _ input: inout PayloadReader) -> TraceEvent? {
    switch kind {
    case .map:
      guard let range = input.range(), let protection = input.word(), let flags = input.word(),
        let file = input.count(),
        let filePage = input.pages(), let isText = input.flag()
      else { return nil }
      return .map(
        TraceMapping(
          range: range, protection: TraceProtection(rawValue: protection), flags: flags, file: file, filePage: filePage,
          isText: isText, openFile: input.lastCount()))
    case .unmap: return input.range().map { .unmap($0) }
    case .remap:
      guard let process = input.count(), let page = input.pages(), let pages = input.pages(),
        let newPage = input.pages(),
        let newPages = input.pages()
      else { return nil }
      return .remap(process: process, page: page, pages: pages, newPage: newPage, newPages: newPages)
    case .protect:
      guard let range = input.range(), let protection = input.word() else { return nil }
      return .protect(range, protection: TraceProtection(rawValue: protection))
    case .advise:
      guard let range = input.range(), let advice = input.signed() else { return nil }
      return .advise(range, advice: advice)
    case .populate:
      guard let range = input.range(), let how = input.word().flatMap(TracePopulate.init) else { return nil }
      return .populate(range, how: how)
    case .sync:
      guard let range = input.range(), let flags = input.signed() else { return nil }
      return .sync(range, flags: flags)
    case .scan:
      guard let range = input.range(), let present = input.word(), let touches = input.word(),
        let untimed = input.word(),
        let inherited = input.word(), let gone = input.word()
      else { return nil }
      return .scan(
        TraceScan(
          range: range, present: present, touches: touches, untimed: untimed, inherited: inherited, gone: gone))
    default: return nil
    }
  }

  private static func decodeFile(_ kind: TraceEventKind, _ input: inout PayloadReader) -> TraceEvent? {
    if kind == .file { return decodeFileRecord(&input) }
    guard [.fileAdvise, .readahead, .truncate, .allocate, .fileRead].contains(kind), let file = input.count() else {
      return nil
    }
    if kind == .truncate { return input.word().map { .truncate(file: file, bytes: $0) } }
    if kind == .allocate {
      guard let mode = input.signed(), let offset = input.word(), let length = input.word() else { return nil }
      return .allocate(file: file, mode: mode, offset: offset, length: length)
    }
    guard let offset = input.word(), let length = input.word() else { return nil }
    switch kind {
    case .fileAdvise:
      guard let advice = input.signed() else { return nil }
      return .fileAdvise(file: file, offset: offset, length: length, advice: advice, openFile: input.lastCount())
    case .readahead: return .readahead(file: file, offset: offset, length: length, openFile: input.lastCount())
    default: return .fileRead(file: file, offset: offset, length: length, openFile: input.lastCount())
    }
  }

  private static func decodeFileRecord(_ input: inout PayloadReader) -> TraceEvent? {
    guard let id = input.count(), let bytes = input.word(), let device = input.word(), let inode = input.word(),
      let owned = input.flag(), let readAhead = input.signed(), let path = input.text(), let fileSystem = input.text(),
      let runs = input.signed(), runs <= input.remaining / 2
    else { return nil }
    var resident: [TraceRun]? = runs < 0 ? nil : []
    for _ in 0..<max(runs, 0) {
      guard let page = input.pages(), let pages = input.pages() else { return nil }
      resident?.append(TraceRun(page: page, pages: pages))
    }
    return .file(
      TraceFile(
        id: id, path: path, bytes: bytes, device: device, inode: inode, isOwnedOrWritable: owned, resident: resident,
        fileSystem: fileSystem, readAheadKB: readAhead < 0 ? nil : readAhead))
  }
}
