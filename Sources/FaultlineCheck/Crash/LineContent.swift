import Faultline
import FaultlineFS

/// The bytes of one cache line as eight atoms: what the device never tears.
struct LineContent: Equatable {
  private(set) var atoms: SIMD8<UInt64>

  init(_ device: any DAXDevice, line: UInt64) {
    atoms = (device.bytes + Int(line << CacheLine.shift)).loadUnaligned(as: SIMD8<UInt64>.self)
  }

  subscript(atom: Int) -> UInt64 {
    get { atoms[atom] }
    set { atoms[atom] = newValue }
  }

  func store(on device: any DAXDevice, line: UInt64) {
    withUnsafeBytes(of: atoms) { device.store($0, at: line << CacheLine.shift) }
  }

  /// A number that differs for other bytes or another line. An image's is the exclusive or of its lines', so that it
  /// follows from another image's by the lines in which they differ.
  func hash(line: UInt64) -> UInt64 {
    var hash = line &* 0x9E37_79B9_7F4A_7C15
    for index in 0..<8 {
      hash = (hash ^ atoms[index]) &* 0xBF58_476D_1CE4_E5B9
      hash ^= hash >> 29
    }
    hash = (hash ^ (hash >> 32)) &* 0x94D0_49BB_1331_11EB
    return hash ^ (hash >> 31)
  }
}
