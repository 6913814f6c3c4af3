import CLinux
import Faultline

/// Little-endian numbers in raw bytes. Who calls has checked that the bytes are there.
extension UnsafeRawPointer {
  func number<Number: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: Number.Type = Number.self) -> Number
  {
    Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: Number.self))
  }

  /// CRC-32C of a block or record whose own checksum, in the four bytes at `hole`, counts as zero.
  func checksum(count: Int, without hole: Int) -> UInt32 {
    var zero: UInt32 = 0
    var sum = cl_crc32c(0, self, hole)
    sum = cl_crc32c(sum, &zero, 4)
    return cl_crc32c(sum, self + hole + 4, count - hole - 4)
  }
}

extension UnsafeMutableRawPointer {
  func set<Number: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _ value: Number) {
    storeBytes(of: value.littleEndian, toByteOffset: offset, as: Number.self)
  }
}

/// A block's worth of bytes in memory, or fewer for a record that is written alone.
///
/// `@unchecked Sendable`: written by who makes it, only read once another thread can see it.
final class RawBlock: @unchecked Sendable {
  static let byteCount = Int(PageSize.bytes)

  let bytes: UnsafeMutableRawPointer
  private let count: Int

  /// Zeroes.
  init(count: Int = RawBlock.byteCount) {
    self.count = count
    bytes = .allocate(byteCount: count, alignment: 64)
    bytes.initializeMemory(as: UInt8.self, repeating: 0, count: count)
  }

  init(copying source: UnsafeRawPointer) {
    count = Self.byteCount
    bytes = .allocate(byteCount: Self.byteCount, alignment: 64)
    bytes.copyMemory(from: source, byteCount: Self.byteCount)
  }

  deinit { bytes.deallocate() }

  var readable: UnsafeRawPointer { UnsafeRawPointer(bytes) }
  var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: count) }
}

/// A block of metadata as it shall lie at its home on the device.
struct FrozenBlock: Sendable {
  let number: UInt64
  let content: RawBlock
}
