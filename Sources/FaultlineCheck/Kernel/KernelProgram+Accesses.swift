import CLinux
import Faultline
import Glibc

/// Loads, stores, fetches, and the kernel's own accesses to a mapping.
extension KernelProgram {
  func access(_ request: AccessRequest) throws(ScriptRunError) -> Outcome {
    let mapping = mappings[try mapping(request.mapping)]
    let measured = measure(
      mapping, page: request.page, offset: request.offset, kind: request.kind.code, value: request.value)
    var outcome = Outcome()
    outcome.minorFaults = UInt64(clamping: measured.minor)
    outcome.majorFaults = UInt64(clamping: measured.major)
    if let signal = try signal(of: measured) {
      outcome.returned = -1
      let page = Int64(bitPattern: measured.fault_address >> PageSize.shift) &- Int64(bitPattern: mapping.base.page)
      outcome.signal = (signal, page: page)
    } else if request.kind == .read || request.kind == .readModifyWrite {
      outcome.value = measured.value
    }
    return outcome
  }

  /// - Parameter settle: milliseconds of rest after each touch that faulted.
  func touch(_ request: TouchRequest, settle: Int64) throws(ScriptRunError) -> Outcome {
    let mapping = mappings[try mapping(request.mapping)]
    let kind = Int32(request.write ? CL_ACCESS_WRITE : CL_ACCESS_READ)
    var outcome = Outcome()
    var faults: [Outcome.Fault] = []
    for page in request.pages {
      let value = Pattern.splitmix(UInt64(bitPattern: page))
      let measured = measure(mapping, page: page, offset: request.offset, kind: kind, value: value)
      let fault = Outcome.Fault(
        page: page, minor: UInt64(clamping: measured.minor), major: UInt64(clamping: measured.major),
        signal: try signal(of: measured))
      outcome.minorFaults += fault.minor
      outcome.majorFaults += fault.major
      guard fault.minor != 0 || fault.major != 0 || fault.signal != nil else { continue }
      faults.append(fault)
      Self.pause(settle)
    }
    outcome.faults = faults
    outcome.sequence = request.isDrawn ? request.pages : nil
    return outcome
  }

  private func measure(
    _ mapping: ScriptRunner.Mapping, page: Int64, offset: Int64, kind: Int32, value: UInt64
  ) -> cl_access {
    var access = cl_access()
    let address = mapping.address(page: page).rawValue &+ UInt64(bitPattern: offset)
    cl_measured_access(address, kind, value, &access)
    return access
  }

  private func signal(of access: cl_access) throws(ScriptRunError) -> Signal? {
    // The numbers of asm-generic/siginfo.h.
    switch (access.signal, access.code) {
    case (0, _): return nil
    case (SIGSEGV, 1): return .segv(.mapErr)
    case (SIGSEGV, 2): return .segv(.accErr)
    case (SIGBUS, 2): return .bus(.adrErr)
    case (SIGBUS, 4): return .bus(.mceErrAR)
    default: throw .limit("the access ended in signal \(access.signal), code \(access.code)", line: line)
    }
  }

  // MARK: The kernel's own accesses

  func transfer(_ request: TransferRequest) throws(ScriptRunError) -> Outcome {
    let start = mappings[try mapping(request.mapping)].address(byte: request.range.offset).rawValue
    let length = request.range.length
    let own = min(length, ScriptRunner.transferLimit)
    if request.kind == .remoteWrite || request.kind == .forcedWrite {
      fillBuffer(Pattern.bytes(seed: request.seed, at: 0, count: Int(own)))
    } else {
      cl_buffer_warm(buffer, Int(own))
    }
    switch request.kind {
    case .remoteRead:
      var outcome = remote(KernelCall.remoteRead, start, own)
      outcome.value = sumOfBuffer(outcome)
      return outcome
    case .remoteWrite: return remote(KernelCall.remoteWrite, start, own)
    case .forcedRead, .forcedWrite: return try force(request.kind, start, own)
    case .directRead, .directWrite: return try direct(request, start)
    case .bufferedRead: return try call(try other(request), KernelCall.read, [start, length, request.fileOffset])
    case .bufferedWrite: return try call(try other(request), KernelCall.write, [start, length, request.fileOffset])
    case .splice: return try splice(start, length)
    }
  }

  private func other(_ request: TransferRequest) throws(ScriptRunError) -> String {
    guard let name = request.file else { throw .noFile("", line: line) }
    return name
  }

  /// process_vm_readv and its counterpart, on this process itself.
  private func remote(_ number: Int64, _ start: UInt64, _ length: UInt64) -> Outcome {
    let here: [UInt64] = [KernelCall.address(buffer), length]
    let there: [UInt64] = [start, length]
    return here.withUnsafeBytes { here in
      there.withUnsafeBytes { there in
        KernelCall.measured(
          number, UInt64(getpid()), UInt64(UInt(bitPattern: here.baseAddress)), 1,
          UInt64(UInt(bitPattern: there.baseAddress)), 1, 0)
      }
    }
  }

  /// Through /proc/self/mem, which the kernel serves even where the mapping forbids it.
  private func force(
    _ kind: TransferRequest.Kind, _ start: UInt64, _ length: UInt64
  ) throws(ScriptRunError) -> Outcome {
    let memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC)
    guard memory >= 0 else { throw .host("/proc/self/mem cannot be opened (\(KernelCall.errnoName(errno)))") }
    defer { close(memory) }
    let number = kind == .forcedRead ? KernelCall.read : KernelCall.write
    var outcome = KernelCall.measured(number, UInt64(memory), KernelCall.address(buffer), length, start)
    if kind == .forcedRead { outcome.value = sumOfBuffer(outcome) }
    return outcome
  }

  private func direct(_ request: TransferRequest, _ start: UInt64) throws(ScriptRunError) -> Outcome {
    let observer = files[try file(try other(request))].observer
    let descriptor = open("/proc/self/fd/\(observer)", O_RDWR | Self.directFlag | O_CLOEXEC)
    guard descriptor >= 0 else {
      var outcome = KernelCall.failed(errno)
      outcome.details = [.init("odirect_open", .boolean(false))]
      return outcome
    }
    defer { close(descriptor) }
    let number = request.kind == .directRead ? KernelCall.read : KernelCall.write
    return KernelCall.measured(number, UInt64(descriptor), start, request.range.length, request.fileOffset)
  }

  private func splice(_ start: UInt64, _ length: UInt64) throws(ScriptRunError) -> Outcome {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw .host("no pipe (\(KernelCall.errnoName(errno)))") }
    defer { for end in ends { close(end) } }
    let sizeCommand: Int32 = 1031  // F_SETPIPE_SZ, a macro that Swift does not import
    _ = fcntl(ends[1], sizeCommand, Int32(ScriptRunner.transferLimit))
    let vector: [UInt64] = [start, length]
    let doNotBlock: UInt64 = 2
    var outcome = vector.withUnsafeBytes {
      KernelCall.measured(KernelCall.splice, UInt64(ends[1]), UInt64(UInt(bitPattern: $0.baseAddress)), 1, doNotBlock)
    }
    guard outcome.returned > 0 else { return outcome }
    let count = read(ends[0], buffer, Int(ScriptRunner.transferLimit))
    var sum = FNV()
    sum.add(UnsafeRawBufferPointer(start: buffer, count: max(0, count)))
    outcome.value = sum.value
    return outcome
  }
}

extension AccessRequest.Kind {
  fileprivate var code: Int32 {
    switch self {
    case .read: Int32(CL_ACCESS_READ)
    case .write: Int32(CL_ACCESS_WRITE)
    case .readModifyWrite: Int32(CL_ACCESS_READ_MODIFY_WRITE)
    case .execute: Int32(CL_ACCESS_EXECUTE)
    }
  }
}
