extension Policy {
  /// The kernel refuses a larger `fault_around_bytes`.
  public static let largestFaultAroundBytes: UInt64 = 2 << 20
  /// Far above every device's `read_ahead_kb`, and safe in every page computation.
  public static let largestReadaheadBytes: UInt64 = 1 << 30

  /// Reads `key=value` pairs separated by commas, in any order: `madvise`, `readahead`, `around`, `name`.
  ///
  /// What is not named stays as recorded. Sizes are rounded down as the kernel does: `around` to a power of two of at
  /// least one page, `readahead` to whole pages. `readahead=device` is the device's own value.
  public init(parsing text: String) throws(PolicyError) {
    var policy = ParsedPolicy(text: text)
    var position = 1
    for clause in text.split(separator: ",", omittingEmptySubsequences: false) {
      try policy.take(clause, at: position)
      position += clause.count + 1
    }
    self.init(
      name: policy.name, madvise: policy.madvise ?? .asRecorded, readahead: policy.readahead ?? .device,
      faultAroundBytes: policy.around ?? Policy.defaultFaultAroundBytes)
  }
}

/// What has been read so far of one policy text.
private struct ParsedPolicy {
  let text: String
  var name: String?
  var madvise: Policy.Madvise?
  var readahead: Policy.Readahead?
  var around: UInt64?

  mutating func take(_ clause: Substring, at position: Int) throws(PolicyError) {
    guard !clause.isEmpty else { throw error(.empty, position) }
    guard let equals = clause.firstIndex(of: "=") else {
      throw error(isKey(clause) ? .noValue(key: String(clause)) : .unknownKey(String(clause)), position)
    }
    let key = String(clause[..<equals])
    let value = clause[clause.index(after: equals)...]
    guard isKey(key) else { throw error(.unknownKey(key), position) }
    let valuePosition = position + key.count + 1
    guard !value.isEmpty else { throw error(.noValue(key: key), valuePosition) }
    guard !isTaken(key) else { throw error(.repeatedKey(key), position) }
    switch key {
    case "madvise": madvise = try advice(value, at: valuePosition)
    case "readahead": readahead = try readahead(value, at: valuePosition)
    case "around": around = try window(value, at: valuePosition)
    default: name = try printable(value, at: valuePosition)
    }
  }

  private func isKey(_ key: some StringProtocol) -> Bool { ["madvise", "readahead", "around", "name"].contains(key) }

  private func isTaken(_ key: String) -> Bool {
    switch key {
    case "madvise": madvise != nil
    case "readahead": readahead != nil
    case "around": around != nil
    default: name != nil
    }
  }

  private func advice(_ value: Substring, at position: Int) throws(PolicyError) -> Policy.Madvise {
    guard let advice = Policy.Madvise(rawValue: value.lowercased()) else {
      throw error(.unknownAdvice(String(value)), position)
    }
    return advice
  }

  private func readahead(_ value: Substring, at position: Int) throws(PolicyError) -> Policy.Readahead {
    if value == "device" { return .device }
    let bytes = try size(value, limit: Policy.largestReadaheadBytes, at: position)
    return .bytes(bytes & ~4095)
  }

  private func window(_ value: Substring, at position: Int) throws(PolicyError) -> UInt64 {
    let bytes = max(4096, try size(value, limit: Policy.largestFaultAroundBytes, at: position))
    return 1 << UInt64(63 - bytes.leadingZeroBitCount)
  }

  private func size(_ value: Substring, limit: UInt64, at position: Int) throws(PolicyError) -> UInt64 {
    guard let bytes = ByteSize.parse(value) else { throw error(.notASize(String(value)), position) }
    guard bytes <= limit else { throw error(.tooLarge(String(value), limit: limit), position) }
    return bytes
  }

  private func printable(_ value: Substring, at position: Int) throws(PolicyError) -> String {
    let controls = value.unicodeScalars.contains { $0.properties.generalCategory == .control }
    guard !controls else { throw error(.unprintableName, position) }
    return String(value)
  }

  private func error(_ reason: PolicyError.Reason, _ position: Int) -> PolicyError {
    PolicyError(reason: reason, text: text, position: position)
  }
}
