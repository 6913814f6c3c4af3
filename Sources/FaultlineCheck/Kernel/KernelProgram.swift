import CLinux
import Faultline
import Glibc

/// # Kernel
///
/// Operation scripts on the kernel of this machine, told in the words of the recordings.
///
/// Laws
/// 1. No privileges: what an ordinary user cannot see (folios, extents on disk) is refused, never guessed.
/// 2. One script is one process, made for it: what it does to its memory, or what a signal does to it, ends with it.
/// 3. Counted faults are those of the operation alone. Between two looks at the counters only C runs, on memory that was
///    written before; Swift prepares and tells.
/// 4. Files have no names, so nothing is left behind, however a run ends.

/// The process that runs one script: from its first operation to its last, on one thread.
final class KernelProgram {
  struct File {
    var name: String
    /// `nil` once it was closed.
    var descriptor: Int32?
    /// A descriptor of its own for looking, so that looking leaves the program's readahead state alone.
    var observer: Int32
    var isLinked = true
  }

  let directory: String
  let settleMilliseconds: Int64
  var files: [File] = []
  var mappings: [ScriptRunner.Mapping] = []
  /// Where a mapping without a place goes, in pages of the arena.
  var nextFreePage: Int64 = 0
  var line = 0
  /// Reads, writes and transfers go through this.
  let buffer: UnsafeMutableRawPointer
  private(set) var pagemap: Int32 = -1
  private let emit: (JSONValue) -> Void

  /// - Parameters:
  ///   - directory: where the files lie.
  ///   - settleMilliseconds: time for the kernel to come to rest after each operation that does not name its own.
  ///   - emit: takes each result as soon as it is there, in this process or in a child of it.
  init(
    directory: String, settleMilliseconds: Int64, emit: @escaping (JSONValue) -> Void
  ) throws(ScriptRunError) {
    self.directory = directory
    self.settleMilliseconds = settleMilliseconds
    self.emit = emit
    buffer = .allocate(byteCount: Int(ScriptRunner.transferLimit), alignment: Int(PageSize.bytes))
    try begin()
  }

  /// What every process needs of its own, a forked one too.
  private func begin() throws(ScriptRunError) {
    guard cl_access_begin() == 0 else { throw .host("signals cannot be caught here") }
    pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)
    guard pagemap >= 0 else { throw .host("/proc/self/pagemap cannot be opened (\(KernelCall.errnoName(errno)))") }
    var letter: UInt8 = 0
    let scanned = cl_page_letters(pagemap, UInt64(UInt(bitPattern: buffer)), 1, &letter)
    guard scanned >= 0 else {
      throw .host("page tables cannot be scanned (\(KernelCall.errnoName(-scanned))): PAGEMAP_SCAN needs Linux 6.7")
    }
  }

  func run(_ lines: [OperationScript.Line], by who: String) throws(ScriptRunError) {
    for line in lines {
      self.line = line.number
      let settle = line.settleMilliseconds ?? settleMilliseconds
      let outcome: Outcome
      cl_settle_page_lists()
      switch line.operation {
      case .fork(let block): outcome = try fork(block)
      case .touch(let request): outcome = try touch(request, settle: line.settleMilliseconds ?? 0)
      default: outcome = try perform(line)
      }
      Self.pause(settle)
      emit(.object(outcome.members(of: line, by: who) + (try snapshot())))
    }
  }

  static func pause(_ milliseconds: Int64) {
    if milliseconds > 0 { usleep(UInt32(clamping: milliseconds &* 1000)) }
  }

  private func perform(_ line: OperationScript.Line) throws(ScriptRunError) -> Outcome {
    switch line.operation {
    case .makeFile(let request): return try makeFile(request)
    case .openFile(let request): return try openFile(request)
    case .closeFile(let name): return try closeFile(name)
    case .unlinkFile(let name): return try unlinkFile(name)
    case .truncate(let name, let size): return try call(name, KernelCall.truncate, [size])
    case .allocate(let name, let mode, let range, let keepSize):
      return try call(name, KernelCall.allocate, [mode.flags(keepSize: keepSize), range.offset, range.length])
    case .adviseFile(let name, let range, let advice):
      return try call(name, KernelCall.advise, [range.offset, range.length, UInt64(advice.rawValue)])
    case .readAhead(let name, let range): return try call(name, KernelCall.readAhead, [range.offset, range.length])
    case .drop(let name): return try drop(name)
    case .syncFile(let name, let dataOnly):
      return try call(name, dataOnly ? KernelCall.syncData : KernelCall.sync, [])
    case .readFile(let name, let range): return try readFile(name, range)
    case .writeFile(let name, let range, let seed): return try writeFile(name, range, seed: seed)
    case .map(let request): return try map(request)
    case .unmap(let name, let range): return try unmap(name, range)
    case .protect(let name, let range, let protection):
      return try call(mapping: name, KernelCall.protect, range, protection.rawValue)
    case .advise(let name, let range, let advice):
      return try call(mapping: name, KernelCall.adviseMemory, range, UInt64(bitPattern: Int64(advice)))
    case .sync(let name, let range, let flags):
      return try call(mapping: name, KernelCall.syncMemory, range, UInt64(flags.rawValue))
    case .lock(let name, let range, let onFault):
      return try call(mapping: name, KernelCall.lock, range, onFault ? 1 : 0)
    case .unlock(let name, let range): return try call(mapping: name, KernelCall.unlock, range, 0)
    case .remap(let request): return try remap(request)
    case .access(let request): return try access(request)
    case .transfer(let request): return try transfer(request)
    case .observe(let observation): return try observe(observation)
    case .settle(let milliseconds):
      Self.pause(milliseconds)
      return Outcome()
    case .touch, .fork: return Outcome()
    }
  }

  private func observe(_ observation: Observation) throws(ScriptRunError) -> Outcome {
    switch observation {
    case .smaps(let name):
      var outcome = Outcome()
      outcome.details = [.init("smaps", try smaps(of: mappings[try mapping(name)]))]
      return outcome
    case .fileSum(let name): return try sum(of: name)
    case .folios, .fileFolios, .extents:
      throw .limit("folios and extents cannot be looked at on this machine's kernel without privileges", line: line)
    }
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

  // MARK: Children

  /// The child runs the block and tells its results itself; then the fork is told, which counts no faults.
  private func fork(_ block: [OperationScript.Line]) throws(ScriptRunError) -> Outcome {
    let pid = cl_fork()
    guard pid >= 0 else { return KernelCall.failed(errno) }
    if pid == 0 {
      var code: Int32 = 0
      do throws(ScriptRunError) {
        close(pagemap)
        try begin()
        try run(block, by: "child")
      } catch {
        emit(KernelScriptServer.report(error))
        code = 1
      }
      _exit(code)
    }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    var outcome = Outcome()
    let end = status & 0x7F == 0 ? "exit \(status >> 8 & 0xFF)" : "killed by \(status & 0x7F)"
    outcome.details = [.init("child", .string(end))]
    return outcome
  }
}

extension AllocateMode {
  /// FALLOC_FL_*; a hole never changes the size.
  fileprivate func flags(keepSize: Bool) -> UInt64 {
    let mode: UInt64 =
      switch self {
      case .allocate: 0
      case .punchHole: 0x3
      case .collapseRange: 0x8
      case .zeroRange: 0x10
      case .insertRange: 0x20
      }
    return mode | (keepSize ? 1 : 0)
  }
}
