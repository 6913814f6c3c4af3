extension Trace {
  /// Loads a trace of either format: what `faultline record` writes, or a text trace, compressed or not.
  /// - Throws: ``TraceError``, ``TextTraceError``.
  public static func load(path: String) throws -> Trace {
    guard let text = try TextTrace(path: path) else { return try Trace(path: path) }
    return try text.imported()
  }
}

extension TextTrace {
  /// The same events as a ``Trace``. Memory that belongs to no file is left out; a process runs as one thread.
  /// - Throws: ``TraceError/unwritable(path:errno:)`` when there is no room for a temporary file.
  public func imported() throws(TraceError) -> Trace {
    let file = try TemporaryTraceFile()
    let writer = try TraceWriter(path: file.path, start: 0, pageSize: 4096, coarse: !isFirstTouch)
    var output = TextTraceImport(writer: writer)
    output.begin(self)
    for (index, line) in lines.enumerated() { output.write(line, time: UInt64(index)) }
    writer.write(.end(.exited(code: 0)), task: 0, time: UInt64(lines.count))
    try writer.finish()
    return try Trace(path: file.path)
  }

  /// Sizes in pages by file, at least up to the last page that was touched: a file may be gone, or cut, by the time that
  /// the observer asked for its size.
  fileprivate var sizes: [Int: UInt64] {
    var sizes: [Int: UInt64] = [:]
    for file in files { sizes[file.id] = file.pages }
    for case .fault(let fault) in lines {
      guard let target = fault.target else { continue }
      sizes[target.file] = max(sizes[target.file] ?? 0, target.page + 1)
    }
    return sizes
  }
}

/// Writes the records that text lines stand for.
private struct TextTraceImport {
  let writer: TraceWriter
  private var areas: [Int: FileAreas] = [:]
  private var declared: Set<Int> = []

  init(writer: TraceWriter) { self.writer = writer }

  func begin(_ text: TextTrace) {
    writer.write(.commandLine([text.command]), task: 0, time: 0)
    writer.write(
      .environment(
        TraceEnvironment(
          kernelRelease: text.kernelRelease, machine: "x86_64", userID: 0, kernelFaultsVisible: true)), task: 0, time: 0
    )
    let sizes = text.sizes
    for file in text.files {
      writer.write(
        .file(
          TraceFile(
            id: file.id, path: file.path, bytes: (sizes[file.id] ?? file.pages) << 12, device: 0,
            inode: UInt64(file.id), isOwnedOrWritable: true, resident: nil, fileSystem: "ext4", readAheadKB: nil)),
        task: 0, time: 0)
    }
  }

  mutating func write(_ line: TextTraceLine, time: UInt64) {
    switch line {
    case .exec(let process, let name):
      declare(process, name, time)
      areas[process] = nil
      writer.write(.exec(process: process, path: name), task: process, time: time)
    case .fork(let parent, let child):
      declare(child, "", time)
      areas[child] = areas[parent]
      writer.write(.fork(parent: parent, child: child), task: parent, time: time)
    case .exit(let process):
      areas[process] = nil
      writer.write(.processEnd(process: process), task: process, time: time)
    case .area(let range, let protection, let isShared, let file, let filePage):
      area(range, protection, isShared, file, filePage, time)
    case .unmap(let range):
      unmap(range, time)
    case .remap(let range, let newPage, let newPages):
      remap(range, newPage, newPages, time)
    case .advise(let range, let advice):
      writer.write(.advise(range, advice: advice), task: range.process, time: time)
    case .fault(let fault):
      // Addresses of the kernel's half are none of the program's pages.
      guard fault.target != nil, fault.page < 1 << 36 else { return }
      declare(fault.process, "", time)
      writer.write(
        TraceTouch(kind: .timed, access: fault.access, task: fault.process, page: fault.page, time: time))
    }
  }

  private mutating func declare(_ process: Int, _ name: String, _ time: UInt64) {
    guard declared.insert(process).inserted || !name.isEmpty else { return }
    writer.write(
      .task(TraceTask(index: process, threadID: process, processID: process, process: process, name: name)),
      task: process, time: time)
  }

  private mutating func area(
    _ range: TraceRange, _ protection: TraceProtection, _ isShared: Bool, _ file: Int?, _ filePage: UInt64,
    _ time: UInt64
  ) {
    guard let file else { return unmap(range, time) }
    if areas[range.process]?.maps(range.span, file: file, filePage: filePage) == true {
      return writer.write(.protect(range, protection: protection), task: range.process, time: time)
    }
    areas[range.process, default: FileAreas()].map(range.span, file: file, filePage: filePage)
    let mapping = TraceMapping(
      range: range, protection: protection, flags: isShared ? 1 : 2, file: file, filePage: filePage,
      isText: protection.contains(.execute))
    writer.write(.map(mapping), task: range.process, time: time)
  }

  private mutating func unmap(_ range: TraceRange, _ time: UInt64) {
    areas[range.process]?.unmap(range.span)
    writer.write(.unmap(range), task: range.process, time: time)
  }

  private mutating func remap(_ range: TraceRange, _ newPage: UInt64, _ newPages: UInt64, _ time: UInt64) {
    let moved = areas[range.process]?.lookUp(range.page)
    areas[range.process]?.unmap(range.span)
    if let moved {
      let target = TraceRange(process: range.process, page: newPage, pages: newPages)
      areas[range.process]?.map(target.span, file: moved.file, filePage: moved.page)
    }
    writer.write(
      .remap(
        process: range.process, page: range.page, pages: range.pages, newPage: newPage, newPages: newPages),
      task: range.process, time: time)
  }
}
