import Faultline

/// # Fuzz
///
/// Random operation scripts, run with the invariants checked after every operation, and cut down to the smallest that still
/// fails.
///
/// Laws
/// 1. The seed decides everything: the same seed gives the same scripts, the same verdicts, the same smallest script.
/// 2. A generated script is in the language, so whatever it finds can be replayed with `faultline ops --check`.
/// 3. Most operations make sense where they stand; some go past ends and borders on purpose.

/// Draws operation scripts.
public struct ScriptGenerator {
  /// What drawn scripts may contain.
  public struct Vocabulary: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Files may start outside the cache.
    public static let coldFiles = Vocabulary(rawValue: 1)
    /// Blocks that run in a child.
    public static let forks = Vocabulary(rawValue: 2)
    /// Pages may be absent from the cache: holes, files that grow, dropped and punched ranges, readahead.
    public static let missingPages = Vocabulary(rawValue: 4)
    /// More than one file.
    public static let severalFiles = Vocabulary(rawValue: 8)
    /// Mappings of no file.
    public static let anonymous = Vocabulary(rawValue: 16)
    /// What `smaps` tells of mappings.
    public static let observations = Vocabulary(rawValue: 32)
    /// System calls through which the kernel itself touches mappings.
    public static let kernelAccesses = Vocabulary(rawValue: 64)
    /// Advice that gives pages up, guards them or removes them, and ranges of files that are set aside or zeroed.
    public static let releases = Vocabulary(rawValue: 128)
    /// After each touch of several there is time for what it began to read.
    public static let restingTouches = Vocabulary(rawValue: 256)
    /// Files that are written in large pieces, some of several MiB, and advice about huge pages.
    public static let largeFolios = Vocabulary(rawValue: 512)
    /// All that scripts on the engine may contain: there, rest changes nothing.
    public static let everything: Vocabulary = [
      .coldFiles, .forks, .missingPages, .severalFiles, .anonymous, .observations, .kernelAccesses, .releases,
      .largeFolios,
    ]
  }

  private var random: SplitMixGenerator
  private let vocabulary: Vocabulary
  private var files: [(name: String, pages: UInt64)] = []
  private var mappings: [(name: String, pages: UInt64, isWritable: Bool)] = []
  private var mapCount = 0

  public init(seed: UInt64, vocabulary: Vocabulary = .everything) {
    random = SplitMixGenerator(seed: seed)
    self.vocabulary = vocabulary
  }

  /// A script of about `count` operations, one a line.
  public mutating func lines(_ count: Int) -> [String] {
    files = []
    mappings = []
    mapCount = 0
    var lines: [String] = []
    for number in 0..<(vocabulary.contains(.severalFiles) ? 1 + draw(2) : 1) { lines.append(makeFile(Int(number))) }
    lines.append(map())
    var openFork: Int?
    while lines.count < count || openFork != nil {
      if let start = openFork, lines.count - start > 4 || lines.count >= count {
        lines.append("endfork")
        openFork = nil
      } else if openFork == nil, vocabulary.contains(.forks), draw(25) == 0 {
        lines.append("fork")
        openFork = lines.count
      } else {
        lines.append(operation(inFork: openFork != nil))
      }
    }
    return lines
  }

  // MARK: Choices

  private mutating func draw(_ bound: UInt64) -> UInt64 { random.next() % bound }

  private mutating func pick<Element>(_ choices: [Element]) -> Element { choices[Int(draw(UInt64(choices.count)))] }

  /// A start and a length inside `pages`, now and then past its end.
  private mutating func range(in pages: UInt64) -> String {
    let start = draw(pages + (draw(20) == 0 ? 4 : 0))
    return "\(start) \(1 + draw(max(1, min(40, pages + 2 - min(start, pages + 1)))))"
  }

  private mutating func makeFile(_ number: Int) -> String {
    let isLarge = vocabulary.contains(.largeFolios) && draw(2) == 0
    let pages = isLarge && draw(3) == 0 ? 200 + draw(1000) : 8 + draw(90)
    let chunk = isLarge ? " chunk=\(pick([4, 16, 64, 256]))" : ""
    files.append(("F\(number)", pages))
    let tail = draw(3) == 0 ? "+\(draw(4096))" : ""
    let fill = pick(["", "", "", vocabulary.contains(.missingPages) ? " fill=sparse" : "", " fill=zero"])
    let cold = vocabulary.contains(.coldFiles) && draw(2) == 0 ? " cold" : ""
    return "mkfile F\(number) \(pages)\(tail) seed=\(1 + draw(99))\(fill)\(chunk)\(cold)"
  }

  private mutating func map() -> String {
    let file = pick(files)
    let pages = 1 + draw(file.pages + 8)
    let isWritable = draw(3) > 0
    let kind = pick(["shared", "private", "private", "shared,populate", "private,populate"])
    let name = "M\(mapCount)"
    mapCount += 1
    mappings.append((name, pages, isWritable))
    let place = draw(2) == 0 ? " at=\(UInt64(mapCount) * 2048 + (draw(3) == 0 ? 0 : draw(600)))" : ""
    if vocabulary.contains(.anonymous), draw(5) == 0 {
      return "mmap \(name) - 0 \(pages) \(isWritable ? "rw" : "r") \(kind),anon\(place)"
    }
    return "mmap \(name) \(file.name) \(draw(file.pages)) \(pages) \(isWritable ? "rw" : "r") \(kind)\(place)"
  }

  private mutating func operation(inFork: Bool) -> String {
    if mappings.count < 6, !inFork, draw(10) == 0 { return map() }
    return draw(4) == 0 ? fileOperation() : mappingOperation(inFork: inFork)
  }

  private mutating func fileOperation() -> String {
    let file = pick(files)
    guard vocabulary.contains(.missingPages) else { return warmFileOperation(file) }
    if vocabulary.contains(.releases), draw(12) == 0 {
      let keep = draw(3) == 0 ? " keep" : ""
      return "\(pick(["falloc", "zerorange"])) \(file.name) \(range(in: file.pages + 4))\(keep)"
    }
    switch draw(9) {
    case 0: return "trunc \(file.name) \(draw(file.pages + 10))\(draw(2) == 0 ? "+\(draw(4096))" : "")"
    case 1: return "punch \(file.name) \(range(in: file.pages))"
    case 2: return "fsync \(file.name)"
    case 3: return "drop \(file.name)"
    case 4: return "pwrite \(file.name) \(range(in: file.pages)) seed=\(1 + draw(99))"
    case 5: return "pread \(file.name) \(range(in: file.pages))"
    case 6:
      return "fadvise \(file.name) \(range(in: file.pages)) "
        + pick(["NORMAL", "RANDOM", "SEQUENTIAL", "WILLNEED", "DONTNEED"])
    case 7: return "readahead \(file.name) \(range(in: file.pages))"
    default: return "fsum \(file.name)"
    }
  }

  /// What leaves every page of the file in the cache, or takes it away for good.
  private mutating func warmFileOperation(_ file: (name: String, pages: UInt64)) -> String {
    switch draw(5) {
    case 0: return "fsync \(file.name)"
    case 1: return "pwrite \(file.name) \(draw(file.pages)) 1 seed=\(1 + draw(99))"
    case 2: return "pread \(file.name) \(range(in: file.pages))"
    case 3: return "fadvise \(file.name) \(range(in: file.pages)) \(pick(["NORMAL", "RANDOM", "SEQUENTIAL"]))"
    default: return "fsum \(file.name)"
    }
  }

  private mutating func mappingOperation(inFork: Bool) -> String {
    let mapping = pick(mappings)
    let name = mapping.name
    if vocabulary.contains(.observations), draw(15) == 0 { return "smaps \(name)" }
    if vocabulary.contains(.kernelAccesses), draw(8) == 0 { return transfer(mapping) }
    if vocabulary.contains(.largeFolios), draw(20) == 0 {
      return "madvise \(name) \(range(in: mapping.pages)) \(pick(["HUGEPAGE", "NOHUGEPAGE", "COLLAPSE", "COLD"]))"
    }
    if vocabulary.contains(.releases), draw(12) == 0 {
      return "madvise \(name) \(range(in: mapping.pages)) "
        + pick(["FREE", "REMOVE", "PAGEOUT", "GUARD_INSTALL", "GUARD_REMOVE", "NOHUGEPAGE", "DONTDUMP", "DODUMP"])
    }
    switch draw(18) {
    case 0...3: return "read \(name) \(draw(mapping.pages + 2))"
    case 4...7: return "write \(name) \(draw(mapping.pages + 2))"
    case 8: return "rmw \(name) \(draw(mapping.pages))"
    case 9: return "touchseq \(name) \(pick(["r", "w"])) \(range(in: mapping.pages))" + rest
    case 10: return "touchrand \(name) \(pick(["r", "w"])) 0 \(mapping.pages) \(1 + draw(30)) \(draw(1000))" + rest
    case 11: return "mprotect \(name) \(range(in: mapping.pages)) \(pick(["r", "rw", "-", "r"]))"
    case 12: return "munmap \(name) \(range(in: mapping.pages))"
    case 13, 14:
      return "madvise \(name) \(range(in: mapping.pages)) "
        + pick([
          "NORMAL", "RANDOM", "SEQUENTIAL", "WILLNEED", "DONTNEED", "POPULATE_READ", "POPULATE_WRITE", "DONTFORK",
          "DOFORK",
          "WIPEONFORK", "KEEPONFORK", "COLD", "DONTNEED_LOCKED",
        ])
    case 15: return "msync \(name) \(range(in: mapping.pages)) \(pick(["sync", "async"]))"
    case 16: return "\(pick(["mlock", "munlock", "mlockonfault"])) \(name) \(range(in: mapping.pages))"
    default: return remap(mapping, inFork: inFork)
    }
  }

  private var rest: String { vocabulary.contains(.restingTouches) ? " settle=3" : "" }

  private mutating func transfer(_ mapping: (name: String, pages: UInt64, isWritable: Bool)) -> String {
    let file = pick(files)
    let place = "\(mapping.name) \(range(in: mapping.pages))"
    switch draw(3) {
    case 0: return "\(pick(["gupr", "gupw"])) \(place)"
    case 1: return "\(pick(["memr", "memw", "vmsplice"])) \(place)"
    default:
      return "\(pick(["sysread", "syswrite", "dior", "diow"])) \(place) \(file.name) \(draw(file.pages))"
    }
  }

  private mutating func remap(_ mapping: (name: String, pages: UInt64, isWritable: Bool), inFork: Bool) -> String {
    let pages = 1 + draw(mapping.pages + 8)
    // What a child moves stays where the parent has it: only the parent's moves change the mapping's length for good.
    if !inFork, let place = mappings.firstIndex(where: { $0.name == mapping.name }) { mappings[place].pages = pages }
    return draw(2) == 0
      ? "mremap \(mapping.name) \(pages) may" : "mremap \(mapping.name) \(pages) to=\(40_960 + draw(64) * 1024)"
  }
}

/// A small seeded generator whose numbers are the same on every machine. Source: Steele, Lea, Flood, OOPSLA 2014.
struct SplitMixGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
