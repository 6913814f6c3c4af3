import Faultline

/// What a fault costs that maps a cached folio of 2 MiB by one entry, beside one that maps a single cached page.
///
/// Both are loads of fresh mappings of files in memory, as many under one table of the same level: 512 huge folios in 1
/// GiB, 512 pages in 2 MiB. Fault-around is off for both, so that the smaller fault maps its page and no neighbours.
struct HugeFaultCost {
  private static let faults = PageSize.entriesPerTable
  private static let firstPage: UInt64 = 1 << 24

  /// Nanoseconds for each fault, medians over the rounds.
  let page: Double
  let huge: Double
  /// The median of the rounds' ratios.
  let ratio: Double

  /// - Parameter rounds: how often both are measured, in turn, so that what else the machine does meets both.
  init(rounds: Int) throws {
    let pageStage = try Stage(.tmpfs, stride: 1)
    let hugeStage = try Stage(.tmpfsHuge, stride: PageSize.entriesPerTable)
    var pages: [Double] = []
    var huges: [Double] = []
    var ratios: [Double] = []
    for _ in 0..<rounds {
      let page = try pageStage.nanosecondsPerFault()
      let huge = try hugeStage.nanosecondsPerFault()
      pages.append(page)
      huges.append(huge)
      ratios.append(huge / page)
    }
    page = pages.median
    huge = huges.median
    ratio = ratios.median
  }

  /// An address space that maps one file anew for each round.
  private struct Stage {
    private let space: AddressSpace
    private let file: OpenFile
    /// From one faulting page to the next.
    private let stride: UInt64
    private var length: UInt64 { (faults &* stride) << PageSize.shift }

    /// Every page that a round faults on is cached, and every table has been used before.
    init(_ traits: FileTraits, stride: UInt64) throws {
      self.stride = stride
      var rules = KernelRules.linux6_18
      rules.faultAroundBytes = PageSize.bytes
      let machine = try Machine(rules: rules, frameCount: 1 << 19)
      let node = FileNode(machine: machine, traits: traits, size: (faults &* stride) << PageSize.shift)
      file = OpenFile(node: node, mode: .readWrite)
      space = try AddressSpace(machine: machine)
      _ = try nanosecondsPerFault()
    }

    private static func address(_ page: UInt64) -> VirtualAddress { VirtualAddress(page: firstPage &+ page) }

    func nanosecondsPerFault() throws -> Double {
      var task = FaultTask()
      try space.mmap(
        address: Self.address(0), length: length, protection: .read, flags: [.shared, .fixed], file: file, by: &task)
      let start = monotonicNanoseconds()
      for fault in 0..<faults { _ = space.access(Self.address(fault &* stride), .read, by: &task) }
      let nanoseconds = monotonicNanoseconds() &- start
      try space.munmap(Self.address(0), length: length)
      guard task.minorFaults == faults else { throw UnexpectedFaults(wanted: faults, got: task.minorFaults) }
      return Double(nanoseconds) / Double(faults)
    }
  }
}

/// A measurement of faults that was none, because the engine took another number of them.
struct UnexpectedFaults: Error, CustomStringConvertible {
  let wanted: UInt64
  let got: UInt64

  var description: String { "the engine took \(got) faults where a benchmark counts on \(wanted)" }
}
