import Faultline

/// Loads, stores and fetches.
extension ScriptRunner {
  func access(_ request: AccessRequest) throws(ScriptRunError) -> Outcome {
    let mapping = mappings[try mapping(request.mapping)]
    let address = address(in: mapping, page: request.page, offset: request.offset)
    return counted { outcome in
      switch load(request, at: address) {
      case .success(let value): outcome.value = value
      case .failure(let fault):
        outcome.returned = -1
        outcome.signal = (fault.signal, page: mappedPage(of: fault.address, in: mapping))
      }
    }
  }

  /// A signal and the address that it names.
  private struct AccessFault: Error {
    var signal: Signal
    var address: VirtualAddress
  }

  /// Makes the access; gives the value that was there, where the kind of access reads one.
  private func load(_ request: AccessRequest, at address: VirtualAddress) -> Result<UInt64?, AccessFault> {
    let signal: Signal?
    var value: UInt64?
    switch request.kind {
    case .read:
      switch space.load(address, by: &task) {
      case .success(let loaded):
        value = loaded
        signal = nil
      case .failure(let raised): signal = raised
      }
    case .write: signal = space.store(address, request.value, by: &task)
    case .readModifyWrite:
      // A locked instruction asks for the page as a store does, and reads only then.
      if let raised = space.access(address, .write, by: &task) {
        signal = raised
      } else if case .success(let loaded) = space.load(address, by: &task) {
        value = loaded
        signal = space.store(address, loaded &+ request.value, by: &task)
      } else {
        signal = nil
      }
    case .execute: signal = space.access(address, .execute, by: &task)
    }
    if let signal { return .failure(AccessFault(signal: signal, address: address)) }
    return .success(value)
  }

  func touch(_ request: TouchRequest) throws(ScriptRunError) -> Outcome {
    let mapping = mappings[try mapping(request.mapping)]
    return counted { outcome in
      var faults: [Outcome.Fault] = []
      for page in request.pages {
        let minor = task.minorFaults
        let major = task.majorFaults
        let signal = touchOnce(request, page: page, at: address(in: mapping, page: page, offset: request.offset))
        let fault = Outcome.Fault(
          page: page, minor: task.minorFaults &- minor, major: task.majorFaults &- major, signal: signal)
        if fault.minor != 0 || fault.major != 0 || signal != nil { faults.append(fault) }
      }
      outcome.faults = faults
      outcome.sequence = request.isDrawn ? request.pages : nil
    }
  }

  private func touchOnce(_ request: TouchRequest, page: Int64, at address: VirtualAddress) -> Signal? {
    if request.write { return space.store(address, Pattern.splitmix(UInt64(bitPattern: page)), by: &task) }
    return space.access(address, .read, by: &task)
  }

  private func address(in mapping: Mapping, page: Int64, offset: Int64) -> VirtualAddress {
    VirtualAddress(rawValue: mapping.address(page: page).rawValue &+ UInt64(bitPattern: offset))
  }

  private func mappedPage(of address: VirtualAddress, in mapping: Mapping) -> Int64 {
    Int64(bitPattern: address.page) &- Int64(bitPattern: mapping.base.page)
  }
}
