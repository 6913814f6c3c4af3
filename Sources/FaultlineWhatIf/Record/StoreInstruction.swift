/// Whether an x86-64 instruction stores to its memory operand; nil when the bytes are not enough or not known.
///
/// Only the distinction that a page fault needs: an instruction that reads and then writes its operand faults as a write. Pushes
/// and calls store to the stack, which is no file. After Intel's manual, volume 2, appendix A.
func storesToMemory(_ bytes: UnsafeRawBufferPointer) -> Bool? {
  var index = 0
  func peek(_ offset: Int = 0) -> UInt8? { index + offset < bytes.count ? bytes[index + offset] : nil }

  while let byte = peek(), [0x66, 0x67, 0xF0, 0xF2, 0xF3, 0x2E, 0x36, 0x3E, 0x26, 0x64, 0x65].contains(byte) {
    index += 1
  }
  if let byte = peek(), byte & 0xF0 == 0x40 { index += 1 }  // REX
  guard let opcode = peek() else { return nil }

  switch opcode {
  case 0xC5:  // VEX, two bytes
    guard let second = peek(2) else { return nil }
    return vectorStores(second)
  case 0xC4:  // VEX, three bytes
    guard let map = peek(1), let second = peek(3) else { return nil }
    switch map & 0x1F {
    case 1: return vectorStores(second)
    case 2: return [0x2E, 0x2F, 0x8E].contains(second)  // masked moves
    case 3: return vectorExtracts(second)
    default: return nil
    }
  case 0x62:  // EVEX
    guard let map = peek(1), let prefix = peek(2), let second = peek(4) else { return nil }
    switch map & 0x7 {
    case 1: return vectorStores(second)
    case 2:
      let narrows = prefix & 3 == 2 && [0x10, 0x20, 0x30].contains(second & 0xF0) && second & 0xF <= 5
      return narrows || [0x63, 0x8A, 0x8B, 0xA0, 0xA1, 0xA2, 0xA3].contains(second)  // compress, scatter
    case 3: return vectorExtracts(second)
    default: return nil
    }
  case 0x0F:
    guard let second = peek(1) else { return nil }
    return twoByteStores(second, operand: peek(2))
  default:
    return oneByteStores(opcode, operand: peek(1))
  }
}

private func oneByteStores(_ opcode: UInt8, operand: UInt8?) -> Bool? {
  let extension3 = operand.map { ($0 >> 3) & 7 }
  switch opcode {
  case 0x00...0x3F:
    // The eight arithmetic operations, operand first in forms 0 and 1; compare (the last) only reads.
    return opcode & 7 <= 1 && opcode < 0x38
  case 0x80...0x83: return extension3.map { $0 != 7 }
  case 0x86, 0x87, 0x88, 0x89, 0x8C, 0x8F: return true
  case 0xA2, 0xA3, 0xA4, 0xA5, 0xAA, 0xAB, 0x6C, 0x6D: return true
  case 0xC0, 0xC1, 0xC6, 0xC7, 0xD0...0xD3: return true
  case 0xD9: return extension3.map { $0 == 2 || $0 == 3 || $0 == 6 || $0 == 7 }
  case 0xDB, 0xDD, 0xDF: return extension3.map { $0 != 0 && $0 != 4 && $0 != 5 }
  case 0xF6, 0xF7: return extension3.map { $0 == 2 || $0 == 3 }
  case 0xFE: return extension3.map { $0 <= 1 }
  case 0xFF: return extension3.map { $0 <= 1 }
  default: return false
  }
}

private func twoByteStores(_ opcode: UInt8, operand: UInt8?) -> Bool? {
  switch opcode {
  case 0x38, 0x3A: return false  // shuffles, checksums and comparisons: loads
  case 0xA4, 0xA5, 0xAB, 0xAC, 0xAD, 0xB0, 0xB1, 0xB3, 0xBB, 0xC0, 0xC1, 0xC3: return true
  case 0x90...0x9F: return true
  case 0xAE: return operand.map { [0, 3, 4, 6].contains(($0 >> 3) & 7) }
  case 0xBA: return operand.map { ($0 >> 3) & 7 >= 5 }
  case 0xC7: return true  // compare and exchange of 8 or 16 bytes
  default: return vectorStores(opcode)
  }
}

/// The moves of the SSE and AVX opcode map that have their memory operand on the left.
private func vectorStores(_ opcode: UInt8) -> Bool {
  [0x11, 0x13, 0x17, 0x29, 0x2B, 0x7E, 0x7F, 0xD6, 0xE7].contains(opcode)
}

/// The extractions of part of a vector, in the third map of VEX and EVEX.
private func vectorExtracts(_ opcode: UInt8) -> Bool {
  [0x14, 0x15, 0x16, 0x17, 0x19, 0x1B, 0x1D, 0x39, 0x3B].contains(opcode)
}
