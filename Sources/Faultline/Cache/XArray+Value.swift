extension XArray {
  /// Puts another value in the place of the one that covers `index`; its slots and marks stay. The caller holds the cache's
  /// lock. Kernel: `xas_store` of an entry of the same order.
  func replaceValue(at index: UInt64, with value: UInt64) {
    guard let (node, slot) = place(of: index) else { return }
    node.slot(slot).pointee.store(value, ordering: .releasing)
  }
}
