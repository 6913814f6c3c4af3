/// Accesses that carry bytes, in machines that keep contents; in others loads give zero and stores leave nothing.
extension AddressSpace {
  /// Loads 8 bytes, lowest first. They may lie across two pages.
  ///
  /// - Returns: the value, or the signal that the load ends in.
  public func load(_ address: VirtualAddress, by task: inout FaultTask) -> Result<UInt64, Signal> {
    var value: UInt64 = 0
    let signal = withUnsafeMutableBytes(of: &value) { buffer in
      move(buffer, at: address, .read, by: &task) { mine, page in mine.copyMemory(from: UnsafeRawBufferPointer(page)) }
    }
    if let signal { return .failure(signal) }
    return .success(UInt64(littleEndian: value))
  }

  /// Stores 8 bytes, lowest first. They may lie across two pages; if one of these ends in a signal, neither is changed.
  ///
  /// - Returns: the signal that the store ends in, or `nil`.
  public func store(_ address: VirtualAddress, _ value: UInt64, by task: inout FaultTask) -> Signal? {
    var value = value.littleEndian
    return withUnsafeMutableBytes(of: &value) { buffer in
      move(buffer, at: address, .write, by: &task) { mine, page in page.copyMemory(from: UnsafeRawBufferPointer(mine)) }
    }
  }

  /// Makes the access to every page of the range, then calls `copy` for each piece with the caller's bytes and the page's.
  private func move(
    _ buffer: UnsafeMutableRawBufferPointer, at address: VirtualAddress, _ access: Access, by task: inout FaultTask,
    _ copy: (_ mine: UnsafeMutableRawBufferPointer, _ page: UnsafeMutableRawBufferPointer) -> Void
  ) -> Signal? {
    let first = min(buffer.count, Int(PageSize.bytes &- address.offsetInPage))
    let second = VirtualAddress(rawValue: address.rawValue &+ UInt64(first))
    if first < buffer.count {
      if let signal = self.access(address, access, by: &task) { return signal }
      if let signal = self.access(second, access, by: &task) { return signal }
    }
    let head = UnsafeMutableRawBufferPointer(rebasing: buffer[..<first])
    if let signal = movePiece(head, at: address, access, by: &task, copy) { return signal }
    guard first < buffer.count else { return nil }
    return movePiece(UnsafeMutableRawBufferPointer(rebasing: buffer[first...]), at: second, access, by: &task, copy)
  }

  /// A piece that lies in one page.
  func movePiece(
    _ buffer: UnsafeMutableRawBufferPointer, at address: VirtualAddress, _ access: Access,
    from origin: AccessOrigin = .program, by task: inout FaultTask,
    _ copy: (_ mine: UnsafeMutableRawBufferPointer, _ page: UnsafeMutableRawBufferPointer) -> Void
  ) -> Signal? {
    let demand = PageTableEntry.Demand.of(access)
    while true {
      if let signal = self.access(address, access, from: origin, by: &task) { return signal }
      let record = task.enter(epoch, of: epochs)
      defer { record.exit() }
      // Under the table's lock the entry keeps its page: nobody can unmap or reuse it while the bytes move.
      let done = table.withEntry(ofPage: address.page) { pointer in
        let entry = PageTableEntry(rawValue: pointer.pointee.load(ordering: .acquiring)).single(address.page)
        guard entry.rawValue & demand.mask == demand.value else { return false }
        if let page = memory.contents(of: memory.frame(entry.frame)) {
          let start = page + Int(address.offsetInPage)
          if access == .write, let device = memory.device(of: memory.frame(entry.frame)) {
            device.store(UnsafeRawBufferPointer(buffer), in: memory.frame(entry.frame), at: address.offsetInPage)
          } else {
            copy(buffer, UnsafeMutableRawBufferPointer(start: start, count: buffer.count))
          }
        }
        return true
      }
      if done == true { return nil }
    }
  }
}

/// So that a load's result can hold one.
extension Signal: Error {}
