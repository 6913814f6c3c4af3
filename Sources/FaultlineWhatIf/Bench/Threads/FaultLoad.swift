import Faultline

/// What the threads of `bench threads` and `bench speculate` touch. Three are the loops of will-it-scale, whose names
/// they keep.
enum FaultLoad: CaseIterable, Sendable {
  case anonymous, privateFile, sharedFile
  case fileLoad, fileAround, privateCopy

  /// Those of `bench threads`.
  static let willItScale: [FaultLoad] = [.anonymous, .privateFile, .sharedFile]

  /// Those of `bench speculate`: what a fault without any lock serves.
  static let speculative: [FaultLoad] = [.anonymous, .fileLoad, .fileAround, .privateCopy]

  var name: String {
    switch self {
    case .anonymous: "page_fault1"
    case .privateFile: "page_fault2"
    case .sharedFile: "page_fault3"
    case .fileLoad: "loads"
    case .fileAround: "loads around"
    case .privateCopy: "copies"
    }
  }

  var about: String {
    switch self {
    case .anonymous: "stores to private anonymous memory"
    case .privateFile: "stores to a private mapping of a cached file in memory"
    case .sharedFile: "stores to a shared mapping of a cached file in memory"
    case .fileLoad: "loads of a cached file in memory, each of which enters its page alone"
    case .fileAround: "loads of a cached file in memory, each of which enters 16 pages"
    case .privateCopy: "stores to a private mapping of a cached file in memory, whose pages loads have entered"
    }
  }

  var isFile: Bool { self != .anonymous }

  var isShared: Bool { self == .sharedFile || self == .fileLoad || self == .fileAround }

  var access: Access { self == .fileLoad || self == .fileAround ? .read : .write }

  /// Pages from one touch to the next: each touch is a fault.
  var stride: Int { self == .fileAround ? Self.aroundPages : 1 }

  /// Whether loads enter the pages of a round first, not counted: one for each window.
  var loadsFirst: Bool { self == .privateCopy }

  /// The pages of a window of fault-around, here and in kernels.
  static let aroundPages = 16
}

/// Who else runs.
enum FaultSetting: Hashable, Sendable {
  /// So many threads that fault, each in an area of its own.
  case together(Int)
  /// One that faults, and one that changes the address space without a pause.
  case besideMapper
  /// One that faults, and one that changes the address space for a part of its time.
  case besideWriter

  static let alone = FaultSetting.together(1)
  static let twoThreads = FaultSetting.together(2)

  var name: String {
    switch self {
    case .together(1): "one thread"
    case .together(2): "two threads"
    case .together(let count): "\(count) threads"
    case .besideMapper: "beside mmap/munmap"
    case .besideWriter: "beside 10 % of it"
    }
  }

  /// Threads that run, the one that changes the address space included.
  var threads: Int {
    switch self {
    case .together(let count): count
    case .besideMapper, .besideWriter: 2
    }
  }

  /// The share of its time for which the last thread is in mmap(2) and munmap(2); nil where it faults like the others.
  var writerShare: Double? {
    switch self {
    case .together: nil
    case .besideMapper: 1
    case .besideWriter: 0.1
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

/// What one thread has of a stage: an area and, for loads of files, a file of its own. Only that thread uses it.
protocol FaultPart: ~Copyable, SendableMetatype {
  /// Makes the load's access to a page of the area.
  mutating func touch(page: Int)
  /// Loads a page of the area.
  mutating func load(page: Int)
  /// Lets go of all pages of the area; it stays mapped.
  mutating func letGo()
  /// Maps 128 MiB of anonymous memory elsewhere and unmaps it untouched, as will-it-scale's mmap1 does.
  mutating func mapAndUnmap()
  /// What became of its faults that began without a lock.
  var speculation: SpeculationCounts { get }
}

/// The sizes of all stages.
enum FaultStageSize {
  /// Pages of a thread's area: 16 MiB.
  static let areaPages = 4096
  /// Bytes that a thread maps and unmaps beside the others.
  static let mappedBytes = 128 << 20
  /// Processors that a judged run needs.
  static let processors = 2
}
