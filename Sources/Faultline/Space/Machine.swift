/// What all address spaces and files of one simulated computer share: its memory and its kernel's rules.
///
/// Any thread may use it.
public final class Machine: Sendable {
  public let rules: KernelRules
  public let memory: PhysicalMemory
  #if DEBUG || ModelCheck
    /// What is wrong on purpose.
    public let switches = DebugSwitches()
  #endif
  let census = Census()
  let epochs = EpochDomain()
  let nodes: XArrayMemory
  let tables: TableMemory
  let lists: LRULists
  let retired = RetiredFrames()
  /// Threads that wait for DAX entries of any file.
  let directWaiters = DAXWaiters()
  /// What the engine does, for whoever wants to look on.
  public let events = EventLog()
  /// Files that were ever made.
  let fileNumbers = AtomicWord(0)
  let cacheLimitWord = AtomicWord(.max)
  let reclaimedWord = AtomicWord(0)
  let refaultsWord = AtomicWord(0)
  /// The number of the last asynchronous read.
  let reads = AtomicWord(0)
  /// The page of zeroes that read faults on private memory map. Kernel: `ZERO_PAGE`.
  let zeroFrame: FrameNumber

  private let hugeZero = AtomicWord(.max)

  /// - Parameters:
  ///   - frameCount: page frames; they cost host memory only once used.
  ///   - contents: whether pages have bytes.
  /// - Throws: `ENOMEM` when the host cannot reserve the address space for it.
  public init(
    rules: KernelRules = .linux6_18, frameCount: UInt64 = 1 << 24, contents: PhysicalMemory.Contents = .none
  ) throws(KernelError) {
    self.rules = rules
    memory = try PhysicalMemory(frameCount: frameCount, contents: contents)
    lists = LRULists(memory: memory)
    nodes = try XArrayMemory(capacity: max(4096, frameCount / 16), epochs: epochs)
    tables = try TableMemory(capacity: (frameCount + DeviceRanges.capacity) / 64, epochs: epochs)
    #if DEBUG || ModelCheck
      tables.switches = switches
    #endif
    guard let zero = memory.allocateZeroed(order: 0) else {
      throw KernelError(.ENOMEM, "a machine needs at least one frame for the zero page")
    }
    zeroFrame = memory.number(of: zero.head)
  }

  /// The 2 MiB of zeroes that read faults on private memory map, made when it is first wanted; `nil` without memory.
  /// Kernel: `huge_zero_folio`.
  var hugeZeroFrame: FrameNumber? {
    let made = hugeZero.load(ordering: .acquiring)
    if made != .max { return FrameNumber(rawValue: made) }
    guard let folio = memory.allocateZeroed(order: PhysicalMemory.pmdOrder) else { return nil }
    let number = memory.number(of: folio.head)
    let (isFirst, first) = hugeZero.compareExchange(
      expected: .max, desired: number.rawValue, successOrdering: .acquiringAndReleasing, failureOrdering: .acquiring)
    if isFirst { return number }
    folio.put(to: memory)
    return FrameNumber(rawValue: first)
  }

  /// The same if it was ever made.
  package var auditHugeZeroFrame: UInt64? {
    let made = hugeZero.load(ordering: .relaxed)
    return made == .max ? nil : made
  }

  /// What waits for readers refers to the machine's parts; nobody reads any more.
  deinit { settle() }
}
