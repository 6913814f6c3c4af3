extension Duration {
  /// Whole milliseconds, for a person and for JSON.
  var milliseconds: UInt64 {
    UInt64(max(0, components.seconds)) * 1000 + UInt64(max(0, components.attoseconds) / 1_000_000_000_000_000)
  }
}
