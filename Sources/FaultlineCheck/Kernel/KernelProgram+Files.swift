import CLinux
import Faultline
import Glibc

/// Operations on descriptors.
extension KernelProgram {
  /// O_TMPFILE and O_DIRECT, macros that Swift does not import.
  private static let namelessFlag: Int32 = 0o20_000_000 | O_DIRECTORY
  static let directFlag: Int32 = 0o40_000

  func makeFile(_ request: MakeFile) throws(ScriptRunError) -> Outcome {
    let isWritten = request.fill == .pattern || request.fill == .zero
    if isWritten, request.size > UInt64(ScriptRunner.pageLimit) * PageSize.bytes {
      throw .limit(
        "a file is written with at most \(ScriptRunner.pageLimit) pages; larger ones can be sparse", line: line)
    }
    for index in files.indices where files[index].name == request.name { files[index].isLinked = false }
    let descriptor = open(directory, Self.namelessFlag | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw .host(
        "no file without a name can be made in \(directory) (\(KernelCall.errnoName(errno))); choose another directory")
    }
    try add(name: request.name, descriptor: descriptor)
    return try fill(descriptor, request, seed: request.seed ?? UInt64(files.count))
  }

  private func fill(_ descriptor: Int32, _ request: MakeFile, seed: UInt64) throws(ScriptRunError) -> Outcome {
    switch request.fill {
    case .sparse:
      if ftruncate(descriptor, Int(truncatingIfNeeded: request.size)) != 0 { return KernelCall.failed(errno) }
    case .falloc:
      let error = posix_fallocate(descriptor, 0, Int(truncatingIfNeeded: request.size))
      if error != 0 { return KernelCall.failed(ENOSPC) }
    case .pattern, .zero:
      let chunk = min(UInt64(request.chunkPages), ScriptRunner.transferLimit / PageSize.bytes) * PageSize.bytes
      var offset: UInt64 = 0
      while offset < request.size {
        let count = Int(min(chunk, request.size - offset))
        let bytes =
          request.fill == .zero
          ? [UInt8](repeating: 0, count: count) : Pattern.bytes(seed: seed, at: offset, count: count)
        let written = pwrite(descriptor, bytes, count, Int(offset))
        guard written > 0 else { return KernelCall.failed(errno) }
        offset += UInt64(written)
      }
    }
    if request.fill != .sparse {
      if !request.options.contains(.noSync) { fsync(descriptor) }
      if request.options.contains(.cold) { posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) }
    }
    if request.options.contains(.reopen) { try reopen(request.name) }
    return Outcome()
  }

  private func reopen(_ name: String) throws(ScriptRunError) {
    let index = files.count - 1
    guard let old = files[index].descriptor else { return }
    let descriptor = open("/proc/self/fd/\(old)", O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw .host("\(name) cannot be opened again (\(KernelCall.errnoName(errno)))") }
    Glibc.close(old)
    files[index].descriptor = descriptor
  }

  private func add(name: String, descriptor: Int32) throws(ScriptRunError) {
    guard files.count < ScriptRunner.fileLimit else {
      throw .limit("a script has at most \(ScriptRunner.fileLimit) descriptors", line: line)
    }
    let observer = open("/proc/self/fd/\(descriptor)", O_RDONLY | O_CLOEXEC)
    guard observer >= 0 else { throw .host("\(name) cannot be opened to look (\(KernelCall.errnoName(errno)))") }
    files.append(File(name: name, descriptor: descriptor, observer: observer))
  }

  func openFile(_ request: OpenRequest) throws(ScriptRunError) -> Outcome {
    let path = request.fileName ?? request.name
    guard let original = files.first(where: { $0.name == path && $0.isLinked }) else { return .failed(.ENOENT) }
    let mode =
      switch request.mode {
      case .readOnly: O_RDONLY
      case .writeOnly: O_WRONLY
      case .readWrite: O_RDWR
      }
    let descriptor = open("/proc/self/fd/\(original.observer)", mode | O_CLOEXEC)
    guard descriptor >= 0 else { return KernelCall.failed(errno) }
    try add(name: request.name, descriptor: descriptor)
    return Outcome()
  }

  func closeFile(_ name: String) throws(ScriptRunError) -> Outcome {
    let index = try file(name)
    let outcome = try call(name, KernelCall.close, [])
    files[index].descriptor = nil
    return outcome
  }

  /// The files have no names to take away: only what an `open` finds changes.
  func unlinkFile(_ name: String) throws(ScriptRunError) -> Outcome {
    let index = try file(name)
    guard files[index].isLinked else { return .failed(.ENOENT) }
    files[index].isLinked = false
    return Outcome()
  }

  /// A call whose first argument is an open descriptor; a closed one is the kernel's EBADF.
  func call(_ name: String, _ number: Int64, _ arguments: [UInt64]) throws(ScriptRunError) -> Outcome {
    let descriptor = files[try file(name)].descriptor ?? -1
    return KernelCall.measured(number, [UInt64(bitPattern: Int64(descriptor))] + arguments)
  }

  func drop(_ name: String) throws(ScriptRunError) -> Outcome {
    let written = try call(name, KernelCall.sync, [])
    var outcome = try call(name, KernelCall.advise, [0, 0, UInt64(POSIX_FADV_DONTNEED)])
    outcome.minorFaults += written.minorFaults
    outcome.majorFaults += written.majorFaults
    return outcome
  }

  func readFile(_ name: String, _ range: ByteRange) throws(ScriptRunError) -> Outcome {
    let count = min(range.length, ScriptRunner.transferLimit)
    cl_buffer_warm(buffer, Int(count))
    var outcome = try call(name, KernelCall.read, [KernelCall.address(buffer), count, range.offset])
    outcome.value = sumOfBuffer(outcome)
    return outcome
  }

  /// The sum of what a call read into the buffer; `nil` when that is nothing.
  func sumOfBuffer(_ outcome: Outcome) -> UInt64? {
    guard outcome.returned > 0 else { return nil }
    var sum = FNV()
    sum.add(UnsafeRawBufferPointer(start: buffer, count: Int(outcome.returned)))
    return sum.value
  }

  func writeFile(_ name: String, _ range: ByteRange, seed: UInt64) throws(ScriptRunError) -> Outcome {
    let count = min(range.length, ScriptRunner.transferLimit)
    fillBuffer(Pattern.bytes(seed: seed, at: range.offset, count: Int(count)))
    return try call(name, KernelCall.write, [KernelCall.address(buffer), count, range.offset])
  }

  func fillBuffer(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { buffer.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(buffer), byteCount: $0.count) }
  }

  func sum(of name: String) throws(ScriptRunError) -> Outcome {
    let observer = files[try file(name)].observer
    var outcome = Outcome()
    var sum = FNV()
    var offset = 0
    while true {
      let count = pread(observer, buffer, 65536, offset)
      guard count > 0 else { break }
      sum.add(UnsafeRawBufferPointer(start: buffer, count: count))
      offset += count
    }
    outcome.value = sum.value
    return outcome
  }
}
