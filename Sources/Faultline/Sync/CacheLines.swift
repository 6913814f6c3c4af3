/// Memory that no two threads write by accident: what one of them writes often lies on cache lines of its own.
enum CacheLines {
  /// Two lines: processors fetch them in pairs.
  static let bytes = 128

  /// Memory for one value, uninitialised; `deallocate()` on the pointer gives it back.
  static func allocate<Value: ~Copyable>(for type: Value.Type) -> UnsafeMutablePointer<Value> {
    let size = (MemoryLayout<Value>.size + bytes - 1) & ~(bytes - 1)
    return UnsafeMutableRawPointer.allocate(byteCount: size, alignment: bytes)
      .bindMemory(to: Value.self, capacity: 1)
  }

  /// Between two fields of an object: keeps what threads write away from what they only read.
  struct Gap {
    private let words = InlineArray<15, UInt64>(repeating: 0)
  }
}
