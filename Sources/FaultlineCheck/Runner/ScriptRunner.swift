import Faultline
import FaultlineFS

/// Runs operation scripts on the engine and tells, operation by operation, what the recordings tell of a kernel.
///
/// One runner is one program on one machine, from its first operation to its last: it is not used by two threads, nor
/// for two scripts. The laws of this folder:
/// * what a script can see goes through the engine's system calls and faults; only observations look inside;
/// * counted faults are those of the operation alone: observing counts nothing.
public final class ScriptRunner {
  /// The arena of the scripts: `at=N` is page N behind this address.
  static let arena = VirtualAddress(rawValue: 0x2000_0000_0000)
  /// The most pages of one mapping or file that are looked at, and that one file is written with.
  static let pageLimit: Int64 = 262_144
  static let fileLimit = 16
  /// 16 GiB, which cost memory only where they are stored to.
  static let devicePages: UInt64 = 1 << 22
  static let mappingLimit = 32
  /// The largest read or write of one operation.
  static let transferLimit: UInt64 = 1 << 20

  /// A descriptor of a file.
  struct File {
    var name: String
    var node: FileNode
    /// Where the file's pages are kept; `nil` for one that lives in the cache alone.
    var store: RAMStore?
    /// The file of a device; `nil` for others.
    var placed: PlacedFile?
    /// `nil` once it was closed.
    var descriptor: OpenFile?
    /// A descriptor of its own for looking, so that looking leaves the program's readahead state alone.
    var observer: OpenFile
    var seed: UInt64
    /// Whether the name still leads to the file.
    var isLinked = true
  }

  /// A mapping, by the name that the script gave it.
  struct Mapping {
    var name: String
    var base: VirtualAddress
    var pages: Int64
    var isLive = true

    /// The address of a page, counted from the first; it may lie outside.
    func address(page: Int64) -> VirtualAddress {
      VirtualAddress(rawValue: base.rawValue &+ UInt64(bitPattern: page) &* PageSize.bytes)
    }

    func address(byte: UInt64) -> VirtualAddress { VirtualAddress(rawValue: base.rawValue &+ byte) }
  }

  public let fileSystem: ScriptFileSystem
  public let rules: KernelRules
  let traits: FileTraits
  let machine: Machine
  /// Where files lie that are mapped without a cache; `nil` for other file systems.
  let volume: ExtentFileSystem?
  let placement: RecordedPlacement
  /// Files that were made on the device, also by children, whose descriptors are forgotten: each has its own name
  /// there.
  var placedFiles = 0
  /// The memory and the counts of the process that runs now: the parent, or the child of a fork.
  var space: AddressSpace
  var task = FaultTask()
  var files: [File] = []
  var mappings: [Mapping] = []
  /// Where a mapping without a place goes, in pages of the arena.
  var nextFreePage: Int64 = 0
  /// Of the script, the one that runs.
  var line = 0
  /// Whether results tell what is mapped and cached, with sums of all bytes. Looking is most of the work.
  var looks = true
  /// Whether results carry what the engine did (`ev`).
  public var printsEvents = false
  /// What results tell of calls (`fn`).
  public var printsCalls: CallCounts = []
  /// How the faults of the operation that runs were tried.
  var attempts = FaultAttempts()
  var speculation = SpeculationCounts()
  /// What the operation that runs has done so far.
  var noted: [EngineEvent] = []

  /// - Parameters:
  ///   - readaheadPages: the device's largest window; `nil` leaves the file system's own. File systems in memory have
  ///     none.
  ///   - lockMode: what faults hold while they work.
  ///   - placement: where blocks lie on a device, as a recording tells it.
  /// - Throws: ``ScriptRunError`` when the engine does not serve the file system or the host has no address space left.
  public init(
    fileSystem: ScriptFileSystem, rules: KernelRules = .linux6_18, readaheadPages: UInt64? = nil,
    lockMode: LockMode = .mmapLock, placement: RecordedPlacement = RecordedPlacement()
  ) throws(ScriptRunError) {
    var traits = fileSystem.traits(rules)
    if let readaheadPages, !traits.isMemoryOnly { traits.readaheadPages = readaheadPages }
    do {
      machine = try Machine(rules: rules, frameCount: 1 << 22, contents: .bytes)
      space = try AddressSpace(machine: machine, lockMode: lockMode)
      volume = try fileSystem.metadataMode.map { mode throws(KernelError) in
        let device = try RAMDevice(pageCount: Self.devicePages)
        try ExtentFileSystem.make(on: device, mode: mode)
        return try ExtentFileSystem.mount(device)
      }
    } catch {
      throw .host(error.message)
    }
    self.fileSystem = fileSystem
    self.rules = rules
    self.traits = traits
    self.placement = placement
  }

  /// The first line of a recording.
  public var environment: JSONValue {
    .object([
      .init("op", .string("env")), .init("kernel", .string(rules.name)), .init("fs_magic", .string(fileSystem.magic)),
      .init("bsize", .integer(4096)),
      .init("read_ahead_kb", traits.isMemoryOnly ? .null : .integer(Int64(clamping: traits.readaheadPages &* 4))),
      .init("arena", .string("0x" + String(Self.arena.rawValue, radix: 16))), .init("page", .integer(4096)),
      .init("pagemap_scan", .boolean(rules.hasPagemapScan)), .init("trace", .boolean(false)),
      .init("settle_ms", .integer(0)),
    ])
  }

  /// Runs the operations and hands out one result each, as soon as it is there.
  ///
  /// - Throws: ``ScriptRunError`` at the first operation that cannot be run; the results before it are handed out.
  public func run(_ script: OperationScript, each: (JSONValue) -> Void) throws(ScriptRunError) {
    try run(script.lines, by: "parent", each: each)
  }

  func run(_ lines: [OperationScript.Line], by who: String, each: (JSONValue) -> Void) throws(ScriptRunError) {
    for line in lines {
      self.line = line.number
      attempts = FaultAttempts()
      speculation = SpeculationCounts()
      noted = []
      for file in files { file.placed?.follow(placement, atLine: Int64(line.number)) }
      let outcome: Outcome
      if case .fork(let block) = line.operation {
        outcome = try fork(block, each: each)
      } else {
        outcome = try perform(line)
        forgetEvents(of: line.operation)
      }
      let calls = printsCalls.isEmpty ? [] : [JSONValue.Member("fn", calls(of: line.operation))]
      let events = printsEvents ? [JSONValue.Member("ev", takeEvents())] : []
      each(.object(outcome.members(of: line, by: who) + events + calls + (looks ? snapshot() : [])))
    }
  }

  /// The results of a whole script.
  public func record(_ script: OperationScript) throws(ScriptRunError) -> Recording {
    var results: [JSONValue] = []
    try run(script) { results.append($0) }
    return Recording(environment: environment, results: results)
  }

  private func perform(_ line: OperationScript.Line) throws(ScriptRunError) -> Outcome {
    switch line.operation {
    case .makeFile(let request): try makeFile(request)
    case .openFile(let request): try openFile(request)
    case .closeFile(let name): try closeFile(name)
    case .unlinkFile(let name): try unlinkFile(name)
    case .truncate(let name, let size): try truncate(name, to: size)
    case .adviseFile(let name, let range, let advice): try adviseFile(name, range, advice)
    case .readAhead(let name, let range): try readAhead(name, range)
    case .drop(let name): try drop(name)
    case .syncFile(let name, _): try syncFile(name)
    case .readFile(let name, let range): try readFile(name, range)
    case .writeFile(let name, let range, let seed): try writeFile(name, range, seed: seed)
    case .map(let request): try map(request)
    case .unmap(let name, let range): try unmap(name, range)
    case .protect(let name, let range, let protection): try protect(name, range, protection)
    case .advise(let name, let range, let advice): try advise(name, range, advice)
    case .sync(let name, let range, let flags): try sync(name, range, flags)
    case .lock(let name, let range, let onFault): try lock(name, range, onFault: onFault)
    case .unlock(let name, let range): try unlock(name, range)
    case .remap(let request): try remap(request)
    case .access(let request): try access(request)
    case .touch(let request): try touch(request)
    case .settle: Outcome()
    case .observe(let observation): try observe(observation)
    case .allocate(let name, .allocate, let range, let keep):
      try changeRange(name, .allocate, range, keepSize: keep)
    case .allocate(let name, .punchHole, let range, let keep):
      try changeRange(name, .punchHole, range, keepSize: keep)
    case .allocate(let name, .zeroRange, let range, let keep):
      try changeRange(name, .zeroRange, range, keepSize: keep)
    case .transfer(let request): try transfer(request)
    case .allocate, .fork: throw unsupported(line)
    }
  }

  /// By its first word, which is what the manual lists.
  private func unsupported(_ line: OperationScript.Line) -> ScriptRunError {
    .notYetSupported(operation: String(line.text.prefix { $0 != " " && $0 != "\t" }), line: line.number)
  }

  // MARK: Names

  func file(_ name: String) throws(ScriptRunError) -> Int {
    guard let index = files.firstIndex(where: { $0.name == name }) else { throw .noFile(name, line: line) }
    return index
  }

  func mapping(_ name: String) throws(ScriptRunError) -> Int {
    guard let index = mappings.lastIndex(where: { $0.isLive && $0.name == name }) else {
      throw .noMapping(name, line: line)
    }
    return index
  }

  // MARK: Counting

  /// Runs `body` and says what it cost in faults.
  func counted(_ body: (inout Outcome) throws(KernelError) -> Void) -> Outcome {
    var outcome = Outcome()
    let minor = task.minorFaults
    let major = task.majorFaults
    let attemptsBefore = task.attempts
    let speculationBefore = task.speculation
    beginEvents()
    defer {
      endEvents()
      attempts = task.attempts - attemptsBefore
      speculation = task.speculation - speculationBefore
    }
    do {
      try body(&outcome)
    } catch {
      outcome.fail(error.errno)
    }
    outcome.minorFaults = task.minorFaults &- minor
    outcome.majorFaults = task.majorFaults &- major
    return outcome
  }
}
