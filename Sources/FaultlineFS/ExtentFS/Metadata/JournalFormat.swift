import CLinux
import Faultline

/// How a transaction lies in the journal: a descriptor that says whose copies follow, the copies, and so on, and last the
/// commit record. No copy can be taken for a control block: recovery steps over copies by the descriptor's count.
///
/// Descriptor, after its header (number: position in the log, owner: 0): 32 copies (4) · 40 for each: home block (8), CRC-32C of
/// transaction, home and the copy's own checksum (4), 4 unused.
enum JournalDescriptor {
  private static let tagsAt = 40
  private static let tagBytes = 16
  static let capacity = (RawBlock.byteCount - tagsAt) / tagBytes

  struct Tag {
    let home: UInt64
    let checksum: UInt32

    init(home: UInt64, checksum: UInt32) {
      self.home = home
      self.checksum = checksum
    }

    init(_ block: FrozenBlock, transaction: UInt64) {
      self.init(
        home: block.number,
        checksum: Tag.checksum(of: BlockKind.checksum(block.content.readable), home: block.number, transaction))
    }

    /// Whether a copy is the whole one of this transaction for this home.
    func matches(_ copy: UnsafeRawPointer, transaction: UInt64) -> Bool {
      let sum = copy.checksum(count: RawBlock.byteCount, without: 4)
      return sum == BlockKind.checksum(copy) && checksum == Tag.checksum(of: sum, home: home, transaction)
    }

    /// A copy has a checksum of its own already, so that this one only has to say where and when it belongs.
    private static func checksum(of copy: UInt32, home: UInt64, _ transaction: UInt64) -> UInt32 {
      withUnsafeBytes(of: (transaction.littleEndian, home.littleEndian, UInt64(copy).littleEndian)) {
        cl_crc32c(0, $0.baseAddress, $0.count)
      }
    }
  }

  static func encode(_ tags: ArraySlice<Tag>, at position: UInt64, transaction: UInt64) -> RawBlock {
    let block = RawBlock()
    block.bytes.set(32, UInt32(tags.count))
    for (index, tag) in tags.enumerated() {
      block.bytes.set(tagsAt + index * tagBytes, tag.home)
      block.bytes.set(tagsAt + index * tagBytes + 8, tag.checksum)
    }
    BlockKind.descriptor.seal(block.bytes, number: position, transaction: transaction, owner: 0)
    return block
  }

  /// What follows, or `nil` for no descriptor of this transaction.
  static func decode(_ bytes: UnsafeRawPointer, at position: UInt64, transaction: UInt64) -> [Tag]? {
    guard BlockKind.descriptor.complaint(about: bytes, number: position, owner: 0) == nil,
      bytes.number(16, as: UInt64.self) == transaction
    else { return nil }
    let count = Int(bytes.number(32, as: UInt32.self))
    guard count <= capacity else { return nil }
    return (0..<count).map {
      Tag(home: bytes.number(tagsAt + $0 * tagBytes), checksum: bytes.number(tagsAt + $0 * tagBytes + 8))
    }
  }
}

/// The record that makes a transaction count: 64 bytes, one line, so that it is there or not.
///
/// 0 magic (4) · 4 CRC-32C of the 64 bytes (4) · 8 position in the log (8) · 16 transaction (8) · 24 copies of the transaction (8)
struct CommitRecord {
  private static let magic: UInt32 = 0x4d43_4c46  // "FLCM"
  static let byteCount = 64

  let position: UInt64
  let transaction: UInt64
  let copies: UInt64

  func encode() -> RawBlock {
    let block = RawBlock(count: CommitRecord.byteCount)
    block.bytes.set(0, CommitRecord.magic)
    block.bytes.set(8, position)
    block.bytes.set(16, transaction)
    block.bytes.set(24, copies)
    block.bytes.set(4, block.readable.checksum(count: CommitRecord.byteCount, without: 4))
    return block
  }

  static func decode(_ at: UnsafeRawPointer, position: UInt64) -> CommitRecord? {
    guard at.number(0, as: UInt32.self) == magic, at.number(8, as: UInt64.self) == position,
      at.number(4, as: UInt32.self) == at.checksum(count: byteCount, without: 4)
    else { return nil }
    return CommitRecord(position: position, transaction: at.number(16), copies: at.number(24))
  }
}
