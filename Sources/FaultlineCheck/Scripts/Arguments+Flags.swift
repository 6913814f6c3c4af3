import Faultline

/// The words that stand for bits: protections, mapping flags, advice. The numbers are those of the Linux ABI.
extension Arguments {
  mutating func protection() throws(ScriptError) -> Protection {
    let word = try word("a protection of r, w, x or -")
    var protection: Protection = []
    for letter in word {
      switch letter {
      case "r": protection.insert(.read)
      case "w": protection.insert(.write)
      case "x": protection.insert(.execute)
      case "-": break
      default: throw wrong(word, expected: "a protection of r, w, x or -")
      }
    }
    return protection
  }

  mutating func mapFlags() throws(ScriptError) -> UInt64 {
    let word = try word("mapping flags")
    var flags: UInt64 = 0
    for name in word.split(separator: ",") {
      if let bits = Self.mapFlagNames[String(name)] {
        flags |= bits
      } else {
        flags |= try parseBits(String(name), expected: "a mapping flag or a number")
      }
    }
    return flags
  }

  mutating func syncFlags() throws(ScriptError) -> SyncFlags {
    let word = try word("sync, async or inv")
    var flags: SyncFlags = []
    for name in word.split(separator: ",") {
      switch name {
      case "sync": flags.insert(.sync)
      case "async": flags.insert(.async)
      case "inv": flags.insert(.invalidate)
      default: throw wrong(word, expected: "sync, async or inv")
      }
    }
    return flags
  }

  mutating func memoryAdvice() throws(ScriptError) -> Int32 {
    let word = try word("an advice")
    if let advice = Self.memoryAdviceNames[word] { return advice }
    let number = try parseInteger(word, expected: "an madvise advice or a number")
    guard let advice = Int32(exactly: number) else { throw outOfRange(word, "advice has 32 bits") }
    return advice
  }

  mutating func fileAdvice() throws(ScriptError) -> FileAdvice {
    let word = try word("an advice")
    guard let advice = Self.fileAdviceNames[word] else {
      throw wrong(word, expected: "NORMAL, RANDOM, SEQUENTIAL, WILLNEED, DONTNEED or NOREUSE")
    }
    return advice
  }

  private static let mapFlagNames: [String: UInt64] = [
    "shared": 1, "private": 2, "shared_validate": 3, "droppable": 8, "fixed": 0x10, "anon": 0x20, "growsdown": 0x100,
    "denywrite": 0x800, "executable": 0x1000, "locked": 0x2000, "noreserve": 0x4000, "populate": 0x8000,
    "nonblock": 0x1_0000, "stack": 0x2_0000, "hugetlb": 0x4_0000, "sync": 0x8_0000, "norep": 0x10_0000,
    "uninit": 0x400_0000,
  ]

  private static let memoryAdviceNames: [String: Int32] = [
    "NORMAL": 0, "RANDOM": 1, "SEQUENTIAL": 2, "WILLNEED": 3, "DONTNEED": 4, "FREE": 8, "REMOVE": 9, "DONTFORK": 10,
    "DOFORK": 11, "MERGEABLE": 12, "UNMERGEABLE": 13, "HUGEPAGE": 14, "NOHUGEPAGE": 15, "DONTDUMP": 16, "DODUMP": 17,
    "WIPEONFORK": 18, "KEEPONFORK": 19, "COLD": 20, "PAGEOUT": 21, "POPULATE_READ": 22, "POPULATE_WRITE": 23,
    "DONTNEED_LOCKED": 24, "COLLAPSE": 25, "HWPOISON": 100, "SOFT_OFFLINE": 101, "GUARD_INSTALL": 102,
    "GUARD_REMOVE": 103,
  ]

  private static let fileAdviceNames: [String: FileAdvice] = [
    "NORMAL": .normal, "RANDOM": .random, "SEQUENTIAL": .sequential, "WILLNEED": .willNeed, "DONTNEED": .dontNeed,
    "NOREUSE": .noReuse,
  ]
}
