import Faultline

/// System calls through which the kernel itself touches a mapping.
extension ScriptRunner {
  /// Pages of the pipe that `vmsplice` fills.
  private static let pipePages = 256

  func transfer(_ request: TransferRequest) throws(ScriptRunError) -> Outcome {
    let address = mappings[try mapping(request.mapping)].address(byte: request.range.offset)
    switch request.kind {
    case .remoteRead, .forcedRead, .remoteWrite, .forcedWrite: return transferThroughBuffer(request, at: address)
    case .splice: return splice(request, at: address)
    case .bufferedRead, .bufferedWrite, .directRead, .directWrite: return try transferToFile(request, at: address)
    }
  }

  private func transferThroughBuffer(_ request: TransferRequest, at address: VirtualAddress) -> Outcome {
    let count = Int(min(request.range.length, Self.transferLimit))
    let isWrite = request.kind == .remoteWrite || request.kind == .forcedWrite
    var bytes =
      isWrite ? Pattern.bytes(seed: request.seed, at: 0, count: count) : [UInt8](repeating: 0, count: count)
    return counted { outcome throws(KernelError) in
      let result = bytes.withUnsafeMutableBytes { buffer in
        Result { () throws(KernelError) in
          switch request.kind {
          case .remoteRead: try space.readRemote(address, into: buffer, by: &task)
          case .forcedRead: try space.readForced(address, into: buffer, by: &task)
          case .remoteWrite: try space.writeRemote(address, UnsafeRawBufferPointer(buffer), by: &task)
          default: try space.writeForced(address, UnsafeRawBufferPointer(buffer), by: &task)
          }
        }
      }
      let done = try result.get()
      outcome.returned = Int64(done)
      if !isWrite, done > 0 { outcome.value = Self.sum(bytes[..<done]) }
    }
  }

  private func splice(_ request: TransferRequest, at address: VirtualAddress) -> Outcome {
    counted { outcome throws(KernelError) in
      var sum = FNV()
      let done = try space.splice(
        address, count: Int(clamping: request.range.length), capacity: Self.pipePages, by: &task
      ) { sum.add($0) }
      outcome.returned = Int64(done)
      if done > 0 { outcome.value = sum.value }
    }
  }

  private func transferToFile(
    _ request: TransferRequest, at address: VirtualAddress
  ) throws(ScriptRunError) -> Outcome {
    guard let name = request.file else { return .failed(.EBADF) }
    let file = files[try file(name)]
    guard request.kind == .directRead || request.kind == .directWrite else {
      guard let descriptor = file.descriptor else { return .failed(.EBADF) }
      return counted { outcome throws(KernelError) in
        let count = request.range.length
        let done =
          request.kind == .bufferedRead
          ? try space.read(descriptor, at: request.fileOffset, count: count, into: address, by: &task)
          : try space.write(descriptor, at: request.fileOffset, count: count, from: address, by: &task)
        outcome.returned = Int64(clamping: done)
      }
    }
    if let errno = directOpenFailure(file) {
      var outcome = Outcome.failed(errno)
      outcome.details = [.init("odirect_open", .boolean(false))]
      return outcome
    }
    let descriptor = OpenFile(node: file.node, mode: .readWrite)
    return counted { outcome throws(KernelError) in
      let count = request.range.length
      let done =
        request.kind == .directRead
        ? try space.readDirect(descriptor, at: request.fileOffset, count: count, into: address, by: &task)
        : try space.writeDirect(descriptor, at: request.fileOffset, count: count, from: address, by: &task)
      outcome.returned = Int64(clamping: done)
    }
  }

  /// Why the file cannot be opened again with O_DIRECT.
  private func directOpenFailure(_ file: File) -> Errno? {
    if !file.isLinked { return .ENOENT }
    return traits.isMemoryOnly && !rules.opensMemoryFilesDirectly ? .EINVAL : nil
  }

  private static func sum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    var sum = FNV()
    bytes.withUnsafeBytes { sum.add($0) }
    return sum.value
  }
}
