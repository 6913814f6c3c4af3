/// write(2): a program's memory goes into a file's pages, folio by folio.
///
/// The program's pages are not faulted in while a folio is locked: they may show that very folio. So a copy can end early, and
/// then what was copied is tried again by itself, in smaller and smaller pieces. Kernel: `generic_perform_write`,
/// `iomap_write_iter`.
extension AddressSpace {
  /// Writes the program's memory to a file. pwrite(2).
  ///
  /// - Returns: the bytes written: fewer than `count` where the memory cannot be read further on.
  /// - Throws: as ``OpenFile/write(at:_:)``; `EFAULT` when the first byte cannot be read.
  public func write(
    _ file: OpenFile, at offset: UInt64, count: UInt64, from address: VirtualAddress, by task: inout FaultTask
  ) throws(KernelError) -> UInt64 {
    guard file.isWritable else { throw KernelError(.EBADF, "a write to a descriptor that cannot write") }
    guard count <= UInt64(Int64.max) - min(offset, UInt64(Int64.max)) else {
      throw KernelError(.EFBIG, "a write past the largest file offset")
    }
    var chunk = file.node.largestPiece
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(min(count, chunk)), alignment: 8)
    buffer.initializeMemory(as: UInt8.self, repeating: 0)
    defer { buffer.deallocate() }
    var done: UInt64 = 0
    while done < count, let place = address.advanced(by: Int(done)) {
      let taken: UInt64
      do throws(KernelError) {
        taken = try writePiece(file, at: offset + done, count - done, from: place, &chunk, through: buffer, by: &task)
      } catch {
        guard done > 0 else { throw error }
        break
      }
      guard taken > 0 else {
        if done > 0, file.node.traits.faultsBeforeWriting { tryOnceMore(place, by: &task) }
        break
      }
      done += taken
    }
    if done == 0, count > 0 { throw KernelError(.EFAULT, "a write of memory that cannot be read") }
    return done
  }

  /// What could be written is one round; the next finds at once that its first byte cannot be read. Kernel: `iomap_iter`.
  private func tryOnceMore(_ place: VirtualAddress, by task: inout FaultTask) {
    var byte: UInt8 = 0
    withUnsafeMutableBytes(of: &byte) { _ = copyFromUser(place, into: $0, by: &task) }
  }

  /// Writes one piece of at most `chunk` bytes.
  ///
  /// Kernels that copy first take the file's page, and bring the program's pages in only if that got nowhere: so a page of the file
  /// may be made, and the file grow up to it, for a write that then fails. The others bring them in first.
  ///
  /// - Returns: the bytes written; none when the first cannot be read.
  private func writePiece(
    _ file: OpenFile, at position: UInt64, _ left: UInt64, from place: VirtualAddress, _ chunk: inout UInt64,
    through buffer: UnsafeMutableRawBufferPointer, by task: inout FaultTask
  ) throws(KernelError) -> UInt64 {
    if file.node.isDirect {
      return try writeDirectly(file, at: position, left, from: place, through: buffer, by: &task)
    }
    let copiesFirst = machine.rules.copies.triesWithoutFaulting && !file.node.traits.faultsBeforeWriting
    var wanted = left
    while true {
      let bytes = Int(min(wanted, chunk - position & (chunk - 1)))
      let reach = UnsafeMutableRawBufferPointer(rebasing: buffer[..<bytes])
      if !copiesFirst, copyFromUser(place, into: reach, by: &task) == 0 { return 0 }
      let length = Int(file.node.pieceLength(at: position, count: UInt64(bytes)))
      let copied = copyEntered(place, into: .init(rebasing: buffer[..<length]), by: &task)
      let written = try file.writePiece(at: position, UnsafeRawBufferPointer(reach), having: copied)
      if written.taken > 0 { return UInt64(written.taken) }
      if chunk > PageSize.bytes { chunk /= 2 }
      if written.offered > 0 {
        wanted = UInt64(written.offered)
      } else if copiesFirst, copyFromUser(place, into: reach, by: &task) == 0 {
        return 0
      }
    }
  }

  /// Writes to a page of a device that is mapped where it lies: nothing is locked while the program's page is brought in.
  private func writeDirectly(
    _ file: OpenFile, at position: UInt64, _ left: UInt64, from place: VirtualAddress,
    through buffer: UnsafeMutableRawBufferPointer, by task: inout FaultTask
  ) throws(KernelError) -> UInt64 {
    let bytes = Int(min(left, PageSize.bytes - position & (PageSize.bytes - 1)))
    let taken = copyFromUser(place, into: .init(rebasing: buffer[..<bytes]), by: &task)
    if taken > 0 { try file.write(at: position, UnsafeRawBufferPointer(rebasing: buffer[..<taken])) }
    return UInt64(taken)
  }

  /// Copies from the pages that are entered, up to the first that is not: the fault handler is entered for it and sends the copy
  /// back at once.
  private func copyEntered(
    _ place: VirtualAddress, into buffer: UnsafeMutableRawBufferPointer, by task: inout FaultTask
  ) -> Int {
    var done = 0
    while done < buffer.count, let next = place.advanced(by: done) {
      let entry = entry(ofPage: next.page)
      guard entry.rawValue & PageTableEntry.presentBit != 0 else {
        machine.events.note(EngineEvent(fault: next.page, .read, from: .kernel, entry))
        break
      }
      let length = next.bytesInPage(of: buffer.count - done)
      let copied = copyFromUser(next, into: .init(rebasing: buffer[done..<done + length]), by: &task)
      done += copied
      guard copied == length else { break }
    }
    return done
  }
}
