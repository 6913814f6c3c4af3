import Faultline
import FaultlineFS

/// One program on files in one mode of the file system: what it promises must hold after every crash.
///
/// Checked are: every byte flushed through a mapping with MAP_SYNC is there at its offset, and every page that such a mapping
/// can store to; what fsync, fdatasync and msync acknowledged is there; nothing shows what was never stored in it, be it
/// another file's old data; a rename is old or new; fsck finds nothing after the recovery, and a second one changes nothing.
/// With a log, all files are as they were at one moment.
public struct FileScenario: CrashScenario {
  let program: FileProgram
  public let mode: MetadataMode
  #if DEBUG || ModelCheck
    public let bug: CrashBug?
  #endif

  #if DEBUG || ModelCheck
    init(_ program: FileProgram, _ mode: MetadataMode, _ bug: CrashBug? = nil) {
      self.program = program
      self.mode = mode
      self.bug = bug
    }
  #else
    init(_ program: FileProgram, _ mode: MetadataMode) {
      self.program = program
      self.mode = mode
    }
  #endif

  /// The names of all programs, with what they do.
  public static let programs: [(name: String, summary: String)] = FileProgram.all.map { ($0.name, $0.summary) }
  /// The scenario `PROGRAM/MODE` or `PROGRAM/MODE/BUG`; `nil` when there is none.
  public static func named(_ name: String) -> FileScenario? {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 || parts.count == 3,
      let program = FileProgram.all.first(where: { $0.name == parts[0] }),
      let mode = MetadataMode.allCases.first(where: { $0.name == parts[1] })
    else { return nil }
    guard parts.count == 3 else { return FileScenario(program, mode) }
    #if DEBUG || ModelCheck
      return CrashBug(named: parts[2]).map { FileScenario(program, mode, $0) }
    #else
      return nil
    #endif
  }

  public var name: String {
    let plain = "\(program.name)/\(mode.name)"
    #if DEBUG || ModelCheck
      if let bug { return "\(plain)/\(bug.name)" }
    #endif
    return plain
  }

  public var summary: String { program.summary }
  public var pageCount: UInt64 { program.pageCount }

  public func place(of offset: UInt64) -> String? {
    Geometry(deviceOf: pageCount, mode: mode)?.part(of: offset >> PageSize.shift)
  }

  private var options: StageOptions {
    var options = StageOptions(mode: mode)
    options.syncWindowPages = program.syncWindowPages
    #if DEBUG || ModelCheck
      switch bug {
      case .engine(let bug): options.engineBugs = [bug]
      case .fileSystem(let bug): options.mount.bugs = FileSystemBugs([bug])
      case nil: break
      }
    #endif
    return options
  }

  // MARK: the run

  /// What blocks hold that nobody has written: a file that shows it shows another's.
  private static let foreign: UInt64 = 0xFFF0_DEAD_BEEF_0000

  public func prepare(_ device: any DAXDevice) throws {
    for line in 0..<device.byteCount >> CacheLine.shift {
      withUnsafeBytes(of: Self.foreign + line) { device.store($0, at: line << CacheLine.shift) }
    }
    try ExtentFileSystem.make(on: device, mode: mode)
    var healthy = options
    healthy.mount = MountOptions()
    let stage = try CrashStage(on: device, healthy) { _ in }
    try program.prepare(stage)
    if program.startsWithRecovery { stage.fs.abandon() } else { try stage.fs.unmount() }
  }

  public func run(_ recorder: CrashRecorder<FilePromise>) throws {
    let stage = try CrashStage(on: recorder.device, options) { recorder.promise($0) }
    try program.run(stage)
    stage.fs.abandon()
  }

  public func recover(_ device: any DAXDevice) throws {
    try ExtentFileSystem.mount(device, options: options.mount).abandon()
  }

  // MARK: the check

  public func check(_ device: any DAXDevice, at moment: CrashMoment<FilePromise>) throws -> [String] {
    let fs = try ExtentFileSystem.mount(device, options: options.mount)
    let found = try FoundTree(fs)
    // Without a log the bitmap is written only by an unmount.
    if mode == .inPlace { try fs.unmount() } else { fs.abandon() }
    var problems = moment.promises.last?.states.problems(found, entries: moment.entries) ?? []
    problems += FileSystemCheck.run(device).map { "fsck: \($0)" }
    problems += try problemsOfSecondRecovery(device, found)
    return problems
  }

  private func problemsOfSecondRecovery(_ device: any DAXDevice, _ found: FoundTree) throws -> [String] {
    let settled = SettledDevice(device, free: Geometry.logHeadBytes)
    let fs = try ExtentFileSystem.mount(settled, options: options.mount)
    defer { fs.abandon() }
    if let offset = settled.firstChange { return ["a second recovery changes byte \(offset) of the device"] }
    return try FoundTree(fs) == found ? [] : ["a second recovery shows other files"]
  }
}

#if DEBUG || ModelCheck
  /// A fault on purpose in the engine or in the file system.
  public enum CrashBug: Sendable, Hashable {
    case engine(SeededBug)
    case fileSystem(FileSystemBug)

    /// Those of the engine that only a crash shows, and all of the file system.
    public static let all: [CrashBug] =
      [.entersBeforeSync, .entersWithoutSync, .protectsOneMapping, .syncsWrongRange].map(CrashBug.engine)
      + FileSystemBug.allCases.map(CrashBug.fileSystem)

    public init?(named name: String) {
      guard let bug = Self.all.first(where: { $0.name == name }) else { return nil }
      self = bug
    }

    public var name: String {
      switch self {
      case .engine(let bug): bug.rawValue
      case .fileSystem(let bug): bug.rawValue
      }
    }
  }
#endif
