/// What fallocate(2) may do to a range of a file.
public enum RangeChange: Sendable, Hashable {
  /// Room for it is set aside; what was never written reads as zero.
  case allocate
  /// It is given back and reads as zero. FALLOC_FL_PUNCH_HOLE.
  case punchHole
  /// It reads as zero and keeps its room. FALLOC_FL_ZERO_RANGE; not on files that live in memory.
  case zeroRange
}

extension OpenFile {
  /// Changes a range of the file. fallocate(2). Kernel: `vfs_fallocate`.
  ///
  /// - Parameters:
  ///   - offset, length: bytes.
  ///   - keepSize: whether a range that ends behind the file's end leaves the size alone. A hole always does.
  /// - Throws: `EINVAL` for no bytes, `EBADF` without write permission, `EFBIG` past the largest file offset, `EOPNOTSUPP`.
  public func change(
    _ change: RangeChange, offset: UInt64, length: UInt64, keepSize: Bool = false
  ) throws(KernelError) {
    let largest = UInt64(Int64.max)
    guard offset <= largest, length > 0, length <= largest else {
      throw KernelError(.EINVAL, "fallocate of no bytes or with negative numbers")
    }
    guard isWritable else { throw KernelError(.EBADF, "fallocate through a descriptor that cannot write") }
    guard offset + length <= largest else { throw KernelError(.EFBIG, "fallocate past the largest file offset") }
    guard change != .zeroRange || !node.traits.isMemoryOnly else {
      throw KernelError(.EOPNOTSUPP, "FALLOC_FL_ZERO_RANGE on a file that lives in memory")
    }
    // Room has no meaning to the engine: a page that was never written is a hole, whoever owns the blocks under it.
    if change != .allocate { node.punchHole(offset..<offset + length) }
    if change != .punchHole, !keepSize, offset + length > node.size { node.truncate(to: offset + length) }
  }
}
