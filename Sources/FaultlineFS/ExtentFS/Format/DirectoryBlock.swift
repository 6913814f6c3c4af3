import Faultline

/// A file's name in its directory: 1 to 255 bytes, neither `/` nor NUL, not `.` or `..`.
struct EntryName: Hashable, Comparable, Sendable, CustomStringConvertible {
  static let longest = 255

  let bytes: [UInt8]

  /// - Throws: `EINVAL` for a name that no file can have, `ENAMETOOLONG`.
  init(_ name: some StringProtocol) throws(KernelError) { try self.init(bytes: Array(name.utf8)) }

  init(bytes: [UInt8]) throws(KernelError) {
    guard bytes.count <= EntryName.longest else {
      throw KernelError(.ENAMETOOLONG, "a name has at most \(EntryName.longest) bytes, not \(bytes.count)")
    }
    let dot = UInt8(ascii: ".")
    guard !bytes.isEmpty, bytes != [dot], bytes != [dot, dot], !bytes.contains(0), !bytes.contains(UInt8(ascii: "/"))
    else { throw KernelError(.EINVAL, "no file can have this name") }
    self.bytes = bytes
  }

  var description: String { String(decoding: bytes, as: UTF8.self) }
  static func < (one: EntryName, other: EntryName) -> Bool { one.bytes.lexicographicallyPrecedes(other.bytes) }
}

/// What a directory says about one name.
struct DirectoryEntry: Hashable, Sendable {
  let name: EntryName
  var inode: UInt64
  var kind: InodeRecord.Kind

  /// Bytes in a block: inode (8) · kind (1) · length of the name (1) · the name, filled up to a multiple of eight.
  var byteCount: Int { (10 + name.bytes.count + 7) & ~7 }
}

/// A block of a directory: its entries, one behind the other.
///
/// After the header: 32 entries (4) · 36 bytes used by them (4) · 40 the entries.
enum DirectoryBlock {
  private static let entriesAt = 40
  static let capacity = RawBlock.byteCount - entriesAt

  static func encode(_ entries: [DirectoryEntry], at number: UInt64, transaction: UInt64, owner: UInt64) -> FrozenBlock
  {
    let block = RawBlock()
    var at = entriesAt
    for entry in entries {
      block.bytes.set(at, entry.inode)
      block.bytes.set(at + 8, UInt8(entry.kind.rawValue))
      block.bytes.set(at + 9, UInt8(entry.name.bytes.count))
      for (index, byte) in entry.name.bytes.enumerated() { block.bytes.set(at + 10 + index, byte) }
      at += entry.byteCount
    }
    block.bytes.set(32, UInt32(entries.count))
    block.bytes.set(36, UInt32(at - entriesAt))
    BlockKind.directory.seal(block.bytes, number: number, transaction: transaction, owner: owner)
    return FrozenBlock(number: number, content: block)
  }

  /// - Throws: `EUCLEAN`
  static func decode(_ bytes: UnsafeRawPointer, at number: UInt64, owner: UInt64, geometry: Geometry)
    throws(KernelError)
    -> [DirectoryEntry]
  {
    if let complaint = BlockKind.directory.complaint(about: bytes, number: number, owner: owner) {
      throw .damaged("block \(number) of directory \(owner) \(complaint)")
    }
    let used = Int(bytes.number(36, as: UInt32.self))
    guard used <= capacity else { throw .damaged("block \(number) of directory \(owner) is more than full") }
    var entries: [DirectoryEntry] = []
    var at = entriesAt
    for _ in 0..<bytes.number(32, as: UInt32.self) {
      guard at + 16 <= entriesAt + used else { throw .damaged("an entry of directory \(owner) is cut off") }
      let inode: UInt64 = bytes.number(at)
      let length = Int(bytes.number(at + 9, as: UInt8.self))
      guard at + 10 + length <= entriesAt + used, inode > 0, inode <= geometry.inodeCount,
        let kind = InodeRecord.Kind(rawValue: UInt32(bytes.number(at + 8, as: UInt8.self))), kind != .free,
        let name = try? EntryName(bytes: (0..<length).map { bytes.number(at + 10 + $0) })
      else { throw .damaged("an entry of directory \(owner) makes no sense") }
      let entry = DirectoryEntry(name: name, inode: inode, kind: kind)
      entries.append(entry)
      at += entry.byteCount
    }
    return entries
  }
}
