/// The words of one payload. A string is a word with its length in bytes, then the bytes, filled up with zeros.
struct PayloadWriter {
  private(set) var words: [UInt64] = []

  mutating func put(_ value: UInt64) { words.append(value) }
  mutating func put(_ value: Int) { words.append(UInt64(bitPattern: Int64(value))) }
  mutating func put(_ value: Bool) { words.append(value ? 1 : 0) }

  mutating func put(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      words.append(UInt64(bytes.count))
      for start in stride(from: 0, to: bytes.count, by: 8) {
        var word: UInt64 = 0
        for index in start..<min(start + 8, bytes.count) { word |= UInt64(bytes[index]) << UInt64((index - start) * 8) }
        words.append(word)
      }
    }
  }

  mutating func put(_ range: TraceRange) {
    put(range.process)
    put(range.page)
    put(range.pages)
  }
}

extension TraceEvent {
  /// The kind and the payload of this event as the file holds them.
  func encoded() -> (kind: TraceEventKind, words: [UInt64]) {
    var out = PayloadWriter()
    let kind = encode(into: &out)
    return (kind, out.words)
  }

  private func encode(into out: inout PayloadWriter) -> TraceEventKind {
    switch self {
    case .commandLine(let arguments):
      out.put(arguments.count)
      for argument in arguments { out.put(argument) }
      return .commandLine
    case .environment(let environment):
      out.put(environment.userID)
      out.put(environment.kernelFaultsVisible)
      out.put(environment.kernelRelease)
      out.put(environment.machine)
      return .environment
    case .task(let task):
      for value in [task.index, task.threadID, task.processID, task.process] { out.put(value) }
      out.put(task.name)
      return .task
    case .fork(let parent, let child):
      out.put(parent)
      out.put(child)
      return .fork
    case .exec(let process, let path):
      out.put(process)
      out.put(path)
      return .exec
    case .taskExit(let status):
      out.put(status)
      return .taskExit
    case .processEnd(let process):
      out.put(process)
      return .processEnd
    case .lost(let count):
      out.put(count)
      return .lost
    case .warning(let text):
      out.put(text)
      return .warning
    case .end(.exited(let code)):
      out.put(0)
      out.put(code)
      return .end
    case .end(.killed(let signal)):
      out.put(1)
      out.put(signal)
      return .end
    default: return encodeMemory(into: &out)
    }
  }

  private func encodeMemory(into out: inout PayloadWriter) -> TraceEventKind {
    switch self {
    case .map(let mapping):
      out.put(mapping.range)
      out.put(mapping.protection.rawValue)
      out.put(mapping.flags)
      out.put(mapping.file)
      out.put(mapping.filePage)
      out.put(mapping.isText)
      out.put(mapping.openFile ?? -1)
      return .map
    case .unmap(let range):
      out.put(range)
      return .unmap
    case .remap(let process, let page, let pages, let newPage, let newPages):
      out.put(process)
      for value in [page, pages, newPage, newPages] { out.put(value) }
      return .remap
    case .protect(let range, let protection):
      out.put(range)
      out.put(protection.rawValue)
      return .protect
    case .advise(let range, let advice):
      out.put(range)
      out.put(advice)
      return .advise
    case .populate(let range, let how):
      out.put(range)
      out.put(how.rawValue)
      return .populate
    case .sync(let range, let flags):
      out.put(range)
      out.put(flags)
      return .sync
    case .scan(let scan):
      out.put(scan.range)
      for value in [scan.present, scan.touches, scan.untimed, scan.inherited, scan.gone] { out.put(value) }
      return .scan
    default: return encodeFile(into: &out)
    }
  }

  private func encodeFile(into out: inout PayloadWriter) -> TraceEventKind {
    switch self {
    case .file(let file):
      out.put(file.id)
      for value in [file.bytes, file.device, file.inode] { out.put(value) }
      out.put(file.isOwnedOrWritable)
      out.put(file.readAheadKB ?? -1)
      out.put(file.path)
      out.put(file.fileSystem)
      out.put(file.resident?.count ?? -1)
      for run in file.resident ?? [] {
        out.put(run.page)
        out.put(run.pages)
      }
      return .file
    case .fileAdvise(let file, let offset, let length, let advice, let openFile):
      out.put(file)
      out.put(offset)
      out.put(length)
      out.put(advice)
      out.put(openFile ?? -1)
      return .fileAdvise
    case .readahead(let file, let offset, let length, let openFile):
      out.put(file)
      out.put(offset)
      out.put(length)
      out.put(openFile ?? -1)
      return .readahead
    case .truncate(let file, let bytes):
      out.put(file)
      out.put(bytes)
      return .truncate
    case .allocate(let file, let mode, let offset, let length):
      out.put(file)
      out.put(mode)
      out.put(offset)
      out.put(length)
      return .allocate
    case .fileRead(let file, let offset, let length, let openFile):
      out.put(file)
      out.put(offset)
      out.put(length)
      out.put(openFile ?? -1)
      return .fileRead
    default: preconditionFailure("every other event is encoded by the callers of this function")
    }
  }
}
