import Faultline

/// What the threads of `bench threads` store to: the loops of will-it-scale, whose names they keep.
enum FaultLoad: CaseIterable, Sendable {
  case anonymous, privateFile, sharedFile

  var name: String {
    switch self {
    case .anonymous: "page_fault1"
    case .privateFile: "page_fault2"
    case .sharedFile: "page_fault3"
    }
  }

  var about: String {
    switch self {
    case .anonymous: "stores to private anonymous memory"
    case .privateFile: "stores to a private mapping of a cached file in memory"
    case .sharedFile: "stores to a shared mapping of a cached file in memory"
    }
  }
}

/// Who else runs.
enum FaultSetting: CaseIterable, Sendable {
  case alone, twoThreads, besideMapper

  var name: String {
    switch self {
    case .alone: "one thread"
    case .twoThreads: "two threads"
    case .besideMapper: "beside mmap/munmap"
    }
  }
}

/// Whose faults they are.
enum FaultSystem: Hashable, Sendable {
  case engine(LockMode)
  case kernel

  static let all: [FaultSystem] = LockMode.allCases.map { .engine($0) } + [.kernel]

  var name: String {
    switch self {
    case .engine(let mode): "\(mode)"
    case .kernel: "kernel"
    }
  }
}

/// What one thread has of a stage: an area and, for page_fault2 and 3, a file of its own. Only that thread uses it.
protocol FaultPart: ~Copyable, SendableMetatype {
  /// Stores to a page of the area.
  mutating func store(toPage page: Int)
  /// Lets go of all pages of the area; it stays mapped.
  mutating func letGo()
  /// Maps 128 MiB of anonymous memory elsewhere and unmaps it untouched, as will-it-scale's mmap1 does.
  mutating func mapAndUnmap()
}

/// The sizes of all stages.
enum FaultStageSize {
  /// Pages of a thread's area: 16 MiB.
  static let areaPages = 4096
  /// Bytes that a thread maps and unmaps beside the others.
  static let mappedBytes = 128 << 20
  static let threads = 2
}
