/// Room on the device for a file that grows, as far as it shows in the folios that a write makes.
extension FileNode {
  /// Sees to it that the first bytes of a write have room, and says how many have: a write goes in pieces of one extent.
  /// Kernel: `xfs_buffered_write_iomap_begin`.
  ///
  /// - Parameters:
  ///   - position: the first byte.
  ///   - count: bytes, at least 1.
  func makeRoom(at position: UInt64, count: UInt64) -> UInt64 {
    guard traits.allocation == .extents else { return count }
    let room = roomWord.load(ordering: .relaxed) << PageSize.shift
    if position < room { return min(count, room - position) }
    let wanted = PageSize.pages(covering: position + count)
    let ahead = position + count > size ? roomAhead(of: position + count, after: room) : 0
    roomWord.store(max(wanted, ahead), ordering: .relaxed)
    return count
  }

  /// The page up to which a file that grows to byte `end` gets room: twice as much as it has, at least 64 KiB more, and none
  /// more than asked for while it is smaller than that. Kernel: `xfs_iomap_prealloc_size`.
  private func roomAhead(of end: UInt64, after room: UInt64) -> UInt64 {
    let unit = Self.roomUnit
    guard size >= unit << PageSize.shift else { return 0 }
    let doubled = room >> (PageSize.shift - 1)
    let more = doubled == 0 ? unit : max(unit, 1 << UInt64(63 - doubled.leadingZeroBitCount))
    return ((end - 1) >> PageSize.shift) / unit * unit + min(more, Self.largestRoom)
  }

  /// 64 KiB in pages. Kernel: `m_allocsize_blocks` without the mount option.
  private static var roomUnit: UInt64 { 16 }
  /// Pages of the largest extent. Kernel: `XFS_MAX_BMBT_EXTLEN`.
  private static var largestRoom: UInt64 { 1 << 21 }
}
