import Faultline

extension ExtentFile {
  /// Bytes that one handle stores at most, so that a long write does not keep others from a commit.
  private static let writeStep: UInt64 = 1 << 20

  /// Bytes that one read gives at most, as the kernel has such a limit.
  public static let longestRead = 1 << 30

  /// Reads at most `count` bytes from `offset` on; fewer at the file's end, and never more than ``longestRead``. pread(2).
  ///
  /// - Throws: `EISDIR`, `EIO` for a damaged medium.
  public func read(at offset: UInt64, count: Int) throws(KernelError) -> [UInt8] {
    try checkIsFile()
    let size = size
    guard offset < size, count > 0 else { return [] }
    let end = offset + min(UInt64(min(count, ExtentFile.longestRead)), size - offset)
    var bytes = [UInt8](repeating: 0, count: Int(end - offset))
    var at = offset
    while at < end {
      let map = try map(at..<end, for: [])
      let stop = min(map.range.upperBound, end)
      if map.kind == .mapped {
        let start = map.address + (at - map.range.lowerBound)
        try checkMedium(start..<start + (stop - at))
        bytes.withUnsafeMutableBytes {
          $0.baseAddress!.advanced(by: Int(at - offset)).copyMemory(
            from: device.bytes + Int(start), byteCount: Int(stop - at))
        }
      }
      at = stop
    }
    return bytes
  }

  /// Writes bytes from `offset` on, beyond the end too. They are durable when it returns; what finds them, after an ``fdatasync()``.
  /// pwrite(2).
  ///
  /// - Throws: `EISDIR`, `EFBIG`, `ENOSPC`, `EIO`, `EROFS`; what came before the error in the range may have been written.
  @inlinable
  public func write(_ bytes: some Collection<UInt8>, at offset: UInt64) throws(KernelError) {
    try write(Array(bytes), at: offset)
  }

  /// ``write(_:at:)-(Collection,_)`` for bytes that are an array already.
  public func write(_ bytes: [UInt8], at offset: UInt64) throws(KernelError) {
    try checkIsFile()
    guard offset <= FileLimit.bytes, UInt64(bytes.count) <= FileLimit.bytes - offset else {
      throw KernelError(.EFBIG, "no file reaches that far")
    }
    var at = offset
    let end = offset + UInt64(bytes.count)
    while at < end {
      let range = at..<min(at + ExtentFile.writeStep, end)
      at = try fs.change { () throws(KernelError) in
        let part = Int(at - offset)..<Int(range.upperBound - offset)
        let step = bytes.withUnsafeBytes { all in
          Result { () throws(KernelError) in try writeStep(range, from: UnsafeRawBufferPointer(rebasing: all[part])) }
        }
        return try step.get()
      }
    }
  }

  /// Writes what lies in one piece at the start of a range; returns where it ended.
  private func writeStep(_ range: Range<UInt64>, from bytes: UnsafeRawBufferPointer) throws(KernelError) -> UInt64 {
    let map = try mapLocked(range, for: .write, window: range)
    let end = min(map.range.upperBound, range.upperBound)
    let start = map.address + (range.lowerBound - map.range.lowerBound)
    let target = start..<start + (end - range.lowerBound)
    try checkMedium(target)
    if range.lowerBound > size { try zeroTail(from: size) }
    device.store(UnsafeRawBufferPointer(rebasing: bytes[..<target.count]), at: start)
    do { try device.persist(target) } catch { throw KernelError(error) }
    if end > size {
      setSize(end)
      fs.noteChange(self, dataRelevant: true)
    } else {
      fs.noteChange(self, dataRelevant: false)
    }
    return end
  }

  private func checkMedium(_ range: Range<UInt64>) throws(KernelError) {
    let pages = range.lowerBound >> PageSize.shift..<PageSize.pages(covering: range.upperBound)
    if let page = device.firstDamagedPage(in: pages) {
      throw KernelError(.EIO, "page \(page) of the device cannot be read")
    }
  }
}
