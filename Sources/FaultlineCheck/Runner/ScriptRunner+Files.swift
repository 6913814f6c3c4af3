import Faultline
import FaultlineFS

/// Operations on descriptors.
extension ScriptRunner {
  func makeFile(_ request: MakeFile) throws(ScriptRunError) -> Outcome {
    let seed = request.seed ?? UInt64(files.count + 1)
    let isWritten = request.fill == .pattern || request.fill == .zero
    if isWritten, request.size > UInt64(Self.pageLimit) * PageSize.bytes {
      throw .limit("a file is written with at most \(Self.pageLimit) pages; larger ones can be sparse", line: line)
    }
    // A name that is made anew leads to the new file; the old one lives on in its descriptors.
    for index in files.indices where files[index].name == request.name { files[index].isLinked = false }
    let store = traits.isMemoryOnly || volume != nil ? nil : RAMStore()
    // What is set aside at once lies at a multiple of 2 MiB. What is written page by page lies askew, on ext4 only until the
    // file has 2 MiB: larger ones get blocks 2 MiB at a time. Kernel: `ext4_mb_normalize_request`.
    let askew = !isWritten ? 0..<0 : 0..<(fileSystem == .ext4DAX ? PageSize.entriesPerTable : .max)
    let placed = try volume.map { volume throws(ScriptRunError) in
      try makePlaced(request.name, askew: askew, on: volume)
    }
    let node = try makeNode(placed?.file, store, size: isWritten || placed != nil ? 0 : request.size)
    let index = try addDescriptor(
      name: request.name, node: node, store: store, placed: placed, mode: .readWrite, seed: seed)
    guard let descriptor = files[index].descriptor else { return Outcome() }
    return counted { outcome throws(KernelError) in
      if placed != nil, !isWritten {
        try node.resize(to: request.size)
        if request.fill == .falloc, request.size > 0 {
          try descriptor.change(.allocate, offset: 0, length: request.size)
        }
      }
      if isWritten { try fill(descriptor, request, seed: seed) }
      // A sparse file is neither written back nor dropped: there is nothing to write and nothing in the cache.
      if request.fill != .sparse {
        if !request.options.contains(.noSync) { try node.sync() }
        if request.options.contains(.cold) { descriptor.advise(.dontNeed) }
      }
      if request.options.contains(.reopen) { files[index].descriptor = OpenFile(node: node, mode: .readWrite) }
    }
  }

  /// On the device files have names of their own: those of a script may come twice.
  private func makePlaced(
    _ name: String, askew: Range<UInt64>, on volume: ExtentFileSystem
  ) throws(ScriptRunError) -> PlacedFile {
    do throws(KernelError) {
      placedFiles += 1
      let placed = PlacedFile(file: try volume.create(String(placedFiles)), name: name, askew: askew)
      placed.follow(placement, atLine: Int64(line))
      return placed
    } catch {
      throw .host(error.message)
    }
  }

  private func makeNode(
    _ file: ExtentFile?, _ store: RAMStore?, size: UInt64
  ) throws(ScriptRunError) -> FileNode {
    guard let file else { return FileNode(machine: machine, traits: traits, store: store, size: size) }
    do throws(KernelError) {
      return try FileNode(machine: machine, traits: traits, file: file)
    } catch {
      throw .host(error.message)
    }
  }

  private func fill(_ descriptor: OpenFile, _ request: MakeFile, seed: UInt64) throws(KernelError) {
    let chunk = min(UInt64(request.chunkPages), Self.transferLimit / PageSize.bytes) * PageSize.bytes
    var offset: UInt64 = 0
    while offset < request.size {
      let count = Int(min(chunk, request.size - offset))
      let bytes =
        request.fill == .zero
        ? [UInt8](repeating: 0, count: count) : Pattern.bytes(seed: seed, at: offset, count: count)
      try write(descriptor, bytes, at: offset)
      offset += UInt64(count)
    }
  }

  func openFile(_ request: OpenRequest) throws(ScriptRunError) -> Outcome {
    let path = request.fileName ?? request.name
    guard let original = files.first(where: { $0.name == path && $0.isLinked }) else { return .failed(.ENOENT) }
    let mode: OpenFile.Mode =
      switch request.mode {
      case .readOnly: .readOnly
      case .writeOnly: .writeOnly
      case .readWrite: .readWrite
      }
    _ = try addDescriptor(
      name: request.name, node: original.node, store: original.store, placed: original.placed, mode: mode,
      seed: request.seed ?? UInt64(files.count + 1))
    return Outcome()
  }

  private func addDescriptor(
    name: String, node: FileNode, store: RAMStore?, placed: PlacedFile?, mode: OpenFile.Mode, seed: UInt64
  ) throws(ScriptRunError) -> Int {
    guard files.count < Self.fileLimit else {
      throw .limit("a script has at most \(Self.fileLimit) descriptors", line: line)
    }
    files.append(
      File(
        name: name, node: node, store: store, placed: placed, descriptor: OpenFile(node: node, mode: mode),
        observer: OpenFile(node: node, mode: .readOnly), seed: seed))
    return files.count - 1
  }

  func closeFile(_ name: String) throws(ScriptRunError) -> Outcome {
    let index = try file(name)
    guard files[index].descriptor != nil else { return .failed(.EBADF) }
    files[index].descriptor = nil
    return Outcome()
  }

  func unlinkFile(_ name: String) throws(ScriptRunError) -> Outcome {
    let index = try file(name)
    guard files[index].isLinked else { return .failed(.ENOENT) }
    files[index].isLinked = false
    return Outcome()
  }

  /// Runs `body` on an open descriptor; a closed one is EBADF.
  private func withDescriptor(
    _ name: String, _ body: (OpenFile, inout Outcome) throws(KernelError) -> Void
  ) throws(ScriptRunError) -> Outcome {
    guard let descriptor = files[try file(name)].descriptor else { return .failed(.EBADF) }
    return counted { outcome throws(KernelError) in try body(descriptor, &outcome) }
  }

  func truncate(_ name: String, to size: UInt64) throws(ScriptRunError) -> Outcome {
    let store = files[try file(name)].store
    return try withDescriptor(name) { descriptor, _ throws(KernelError) in
      guard descriptor.mode != .readOnly, size <= UInt64(Int64.max) else {
        throw KernelError(.EINVAL, "ftruncate to a negative size or through a descriptor that cannot write")
      }
      try descriptor.node.resize(to: size)
      store?.truncate(to: size)
    }
  }

  func changeRange(
    _ name: String, _ change: RangeChange, _ range: ByteRange, keepSize: Bool
  ) throws(ScriptRunError) -> Outcome {
    let takesMemory = traits.isMemoryOnly || volume != nil
    guard change == .punchHole || !takesMemory || range.length <= UInt64(Self.pageLimit) * PageSize.bytes else {
      throw .limit("a file sets aside at most \(Self.pageLimit) pages", line: line)
    }
    return try withDescriptor(name) { descriptor, _ throws(KernelError) in
      try descriptor.change(change, offset: range.offset, length: range.length, keepSize: keepSize)
    }
  }

  func adviseFile(_ name: String, _ range: ByteRange, _ advice: FileAdvice) throws(ScriptRunError) -> Outcome {
    try withDescriptor(name) { descriptor, _ throws(KernelError) in
      guard range.length <= UInt64(Int64.max) else { throw KernelError(.EINVAL, "fadvise of a negative length") }
      descriptor.advise(offset: range.offset, length: range.length, advice)
    }
  }

  func readAhead(_ name: String, _ range: ByteRange) throws(ScriptRunError) -> Outcome {
    try withDescriptor(name) { descriptor, _ throws(KernelError) in
      guard range.length <= UInt64(Int64.max) else { throw KernelError(.EINVAL, "readahead of a negative length") }
      descriptor.readAhead(offset: range.offset, length: range.length)
    }
  }

  func drop(_ name: String) throws(ScriptRunError) -> Outcome {
    try withDescriptor(name) { descriptor, _ throws(KernelError) in
      try descriptor.node.sync()
      descriptor.advise(.dontNeed)
    }
  }

  func syncFile(_ name: String) throws(ScriptRunError) -> Outcome {
    try withDescriptor(name) { descriptor, _ throws(KernelError) in try descriptor.node.sync() }
  }

  func readFile(_ name: String, _ range: ByteRange) throws(ScriptRunError) -> Outcome {
    try withDescriptor(name) { descriptor, outcome throws(KernelError) in
      let bytes = try read(descriptor, count: min(range.length, Self.transferLimit), at: range.offset)
      outcome.returned = Int64(bytes.count)
      guard !bytes.isEmpty else { return }
      var sum = FNV()
      bytes.withUnsafeBytes { sum.add($0) }
      outcome.value = sum.value
    }
  }

  func writeFile(_ name: String, _ range: ByteRange, seed: UInt64) throws(ScriptRunError) -> Outcome {
    let count = Int(min(range.length, Self.transferLimit))
    return try withDescriptor(name) { descriptor, outcome throws(KernelError) in
      let bytes = Pattern.bytes(seed: seed, at: range.offset, count: count)
      try write(descriptor, bytes, at: range.offset)
      outcome.returned = Int64(count)
    }
  }

  /// The sum of the whole file, read through the cache in pieces as `cat` would.
  func sum(of name: String) throws(ScriptRunError) -> Outcome {
    let observer = files[try file(name)].observer
    return counted { outcome throws(KernelError) in
      var sum = FNV()
      var offset: UInt64 = 0
      while true {
        let bytes = try read(observer, count: 65536, at: offset)
        guard !bytes.isEmpty else { break }
        bytes.withUnsafeBytes { sum.add($0) }
        offset += UInt64(bytes.count)
      }
      outcome.value = sum.value
    }
  }

  // MARK: Bytes

  private func read(_ file: OpenFile, count: UInt64, at offset: UInt64) throws(KernelError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(count))
    try file.read(at: offset, count: count) { _, length, piece in
      bytes += UnsafeRawBufferPointer(start: piece, count: Int(length))
    }
    return bytes
  }

  private func write(_ file: OpenFile, _ bytes: [UInt8], at offset: UInt64) throws(KernelError) {
    let result = bytes.withUnsafeBytes { buffer in
      Result { () throws(KernelError) in try file.write(at: offset, buffer) }
    }
    try result.get()
  }
}
