/// The kernel touches a program's memory on behalf of a system call: by copying, with faults of its own, or by taking
/// the pages first. Machines without contents do all of it but the copying.

/// Bytes from and to a program, in one of the two ways.
extension AddressSpace {
  // MARK: With faults. Kernel: `copy_to_user`, `copy_from_user`

  /// Copies bytes to the program, page by page, up to the first page that it may not write.
  ///
  /// - Returns: the bytes that were copied.
  func copyToUser(_ address: VirtualAddress, _ bytes: UnsafeRawBufferPointer, by task: inout FaultTask) -> Int {
    let source = UnsafeMutableRawBufferPointer(mutating: bytes)
    let done = copy(source, at: address, .write, by: &task) { mine, page in
      page.copyMemory(from: UnsafeRawBufferPointer(mine))
    }
    if done < bytes.count, machine.rules.copies.repeatsFailedBytes, let place = address.advanced(by: done) {
      machine.events.note(EngineEvent(fault: place.page, .write, from: .kernel, entry(ofPage: place.page)))
    }
    return done
  }

  /// Copies bytes from the program, page by page, up to the first page that it may not read.
  ///
  /// - Returns: the bytes that were copied.
  func copyFromUser(
    _ address: VirtualAddress, into buffer: UnsafeMutableRawBufferPointer, by task: inout FaultTask
  ) -> Int {
    copy(buffer, at: address, .read, by: &task) { mine, page in mine.copyMemory(from: UnsafeRawBufferPointer(page)) }
  }

  private func copy(
    _ buffer: UnsafeMutableRawBufferPointer, at address: VirtualAddress, _ access: Access, by task: inout FaultTask,
    _ copy: (_ mine: UnsafeMutableRawBufferPointer, _ page: UnsafeMutableRawBufferPointer) -> Void
  ) -> Int {
    var done = 0
    while done < buffer.count {
      guard let place = address.advanced(by: done) else { break }
      let piece = UnsafeMutableRawBufferPointer(
        rebasing: buffer[done..<done + place.bytesInPage(of: buffer.count - done)])
      guard movePiece(piece, at: place, access, from: .kernel, by: &task, copy) == nil else { break }
      done += piece.count
    }
    return done
  }

  // MARK: By taking the pages first

  /// Reads another process's memory, or one's own in this way. process_vm_readv(2) with one range.
  ///
  /// - Returns: the bytes read: fewer than asked for when a later page cannot be had.
  /// - Throws: `EFAULT` when the first page cannot be had.
  public func readRemote(
    _ address: VirtualAddress, into buffer: UnsafeMutableRawBufferPointer, by task: inout FaultTask
  ) throws(KernelError) -> Int {
    let done = throughPages(
      address, count: buffer.count, .pin, [.unlockable, .remote], piece: Self.remotePiece, by: &task
    ) {
      UnsafeMutableRawBufferPointer(rebasing: buffer[$0..<$0 + $1.count]).copyMemory(from: UnsafeRawBufferPointer($1))
    }
    guard done > 0 || buffer.isEmpty else { throw KernelError(.EFAULT, "a remote read of memory that cannot be read") }
    return done
  }

  /// Writes another process's memory, or one's own in this way. process_vm_writev(2) with one range.
  ///
  /// - Returns: the bytes written: fewer than given when a later page cannot be had.
  /// - Throws: `EFAULT` when the first page cannot be had.
  public func writeRemote(
    _ address: VirtualAddress, _ bytes: UnsafeRawBufferPointer, by task: inout FaultTask
  ) throws(KernelError) -> Int {
    let done = throughPages(
      address, count: bytes.count, .pin, [.unlockable, .remote, .write], piece: Self.remotePiece, by: &task
    ) {
      $1.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[$0..<$0 + $1.count]))
    }
    guard done > 0 || bytes.isEmpty else {
      throw KernelError(.EFAULT, "a remote write to memory that cannot be written")
    }
    return done
  }

  /// Reads memory whether or not its protection allows it now. read(2) of `/proc/PID/mem`.
  ///
  /// - Throws: `EIO` when the first page cannot be had.
  public func readForced(
    _ address: VirtualAddress, into buffer: UnsafeMutableRawBufferPointer, by task: inout FaultTask
  ) throws(KernelError) -> Int {
    let done = throughPages(address, count: buffer.count, .reference, [.force, .remote], piece: 1, by: &task) {
      UnsafeMutableRawBufferPointer(rebasing: buffer[$0..<$0 + $1.count]).copyMemory(from: UnsafeRawBufferPointer($1))
    }
    guard done > 0 || buffer.isEmpty else { throw KernelError(.EIO, "a forced read of memory that cannot be had") }
    return done
  }

  /// Writes memory whether or not its protection allows it now, making private copies where the area is private. A
  /// shared area that may not be written refuses. write(2) to `/proc/PID/mem`.
  ///
  /// - Throws: `EIO` when the first page cannot be had.
  public func writeForced(
    _ address: VirtualAddress, _ bytes: UnsafeRawBufferPointer, by task: inout FaultTask
  ) throws(KernelError) -> Int {
    let done = throughPages(address, count: bytes.count, .reference, [.force, .remote, .write], piece: 1, by: &task) {
      $1.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[$0..<$0 + $1.count]))
    }
    guard done > 0 || bytes.isEmpty else { throw KernelError(.EIO, "a forced write to memory that cannot be had") }
    return done
  }

  /// Puts pages into a pipe without copying, and hands out what a reader of the pipe finds there. vmsplice(2).
  ///
  /// - Parameter capacity: pages that the pipe takes.
  /// - Throws: `EFAULT` when the first page cannot be had.
  public func splice(
    _ address: VirtualAddress, count: Int, capacity: Int, by task: inout FaultTask,
    _ body: (_ bytes: UnsafeRawBufferPointer) -> Void
  ) throws(KernelError) -> Int {
    let room = capacity * Int(PageSize.bytes) - Int(address.offsetInPage)
    let done = throughPages(
      address, count: min(count, room), .reference, .unlockable, piece: Self.splicePiece, by: &task
    ) {
      body(UnsafeRawBufferPointer($1))
    }
    guard done > 0 || count == 0 else { throw KernelError(.EFAULT, "vmsplice of memory that cannot be read") }
    return done
  }

  /// Pages that process_vm_readv takes before it copies. Kernel: `PVM_MAX_KMALLOC_PAGES`.
  private static let remotePiece: UInt64 = 1024
  /// Pages that vmsplice takes at once. Kernel: `PIPE_DEF_BUFFERS`.
  private static let splicePiece: UInt64 = 16

  /// Takes up to `piece` pages at a time and calls `body` with the bytes of each and where they lie in the whole, up to
  /// the first page that cannot be had.
  ///
  /// - Returns: the bytes that were had.
  func throughPages(
    _ address: VirtualAddress, count: Int, _ kind: HoldKind, _ flags: PinFlags, piece: UInt64,
    by task: inout FaultTask,
    _ body: (_ offset: Int, _ bytes: UnsafeMutableRawBufferPointer) -> Void
  ) -> Int {
    var done = 0
    while done < count {
      guard let place = address.advanced(by: done) else { break }
      let wanted = PageSize.pages(covering: place.offsetInPage &+ UInt64(count - done))
      let end = min(place.page &+ min(wanted, piece), VirtualAddress.end.page)
      guard place.page < end else { break }
      var held = PinnedPages(kind, of: machine, capacity: Int(end &- place.page))
      hold(place.page..<end, flags, into: &held, by: &task)
      guard held.pageCount > 0 else { break }
      if kind == .pin, machine.events.isListening { noteLettingGo(held) }
      held.forEachPage { number in
        guard let start = address.advanced(by: done) else { return }
        let length = start.bytesInPage(of: count - done)
        let frame = machine.memory.frame(number)
        if let contents = machine.memory.contents(of: frame) {
          let bytes = UnsafeMutableRawBufferPointer(start: contents + Int(start.offsetInPage), count: length)
          if flags.contains(.write), let device = machine.memory.device(of: frame) {
            device.change(bytes, in: frame, at: start.offsetInPage) { body(done, $0) }
          } else {
            body(done, bytes)
          }
        }
        if flags.contains(.write) { Folio(of: frame).markDirty() }
        done += length
      }
    }
    return done
  }
}

extension VirtualAddress {
  /// `nil` past the end of the address space.
  func advanced(by bytes: Int) -> VirtualAddress? {
    let (sum, overflow) = rawValue.addingReportingOverflow(UInt64(bytes))
    return overflow || sum >= VirtualAddress.end.rawValue ? nil : VirtualAddress(rawValue: sum)
  }

  /// How many of `count` bytes from here lie in this page.
  func bytesInPage(of count: Int) -> Int { min(count, Int(PageSize.bytes &- offsetInPage)) }
}
