import CLinux
import Glibc

/// What one run of a program cost on the real kernel, in the files that were asked about.
public struct KernelMeasurement: Equatable, Sendable {
  /// Faults that waited for the device (PERF_COUNT_SW_PAGE_FAULTS_MAJ), and the others (…_MIN).
  public var majorFaults: Int
  public var minorFaults: Int
  /// Pages with a page-table entry when their mapping ended, summed over processes.
  public var pagesMapped: Int
  /// Pages of them that one entry mapped with the 511 around.
  public var pagesMappedHuge: Int
  /// Pages in the page cache after the run.
  public var pagesCached: Int
  /// Pages that came into the page cache in the run, in bytes.
  public var readBytes: Int
  /// `read_bytes` of `/proc/PID/io`, summed over threads: everything that the program made the devices read.
  public var processReadBytes: Int
  public var wallNanoseconds: UInt64
  public var end: TraceEnd
}

/// Runs a program on the real kernel, unregistered, under a policy, and counts.
///
/// The layout of the address space is that of a recording (no randomisation: fault-around windows are aligned by address); huge pages
/// and fault-around are the kernel's own. Any thread may measure; one run at a time, or they disturb each other.
public struct KernelRun: Sendable {
  /// `madvise` for whole mappings; raw values are the kernel's.
  public enum Advice: Int, Sendable {
    case normal = 0
    case random = 1
    case sequential = 2
    case hugePage = 14
    case noHugePage = 15
  }

  /// The page cache of the chosen files before the run.
  public enum Cache: Sendable {
    /// Written back and dropped, and checked.
    case cold
    /// Every page read in, and checked.
    case warm
    /// Left as it is.
    case asIs
  }

  /// Program and arguments.
  public var command: [String]
  /// Paths of the files whose faults and pages count.
  public var files: [String]
  /// Given to each mapping of a chosen file as soon as it appears; the program's own NORMAL, RANDOM and SEQUENTIAL are kept from the
  /// kernel then. Nil: only the program advises.
  public var advice: Advice?
  public var cache: Cache

  public init(command: [String], files: [String], advice: Advice? = nil, cache: Cache = .cold) {
    self.command = command
    self.files = files
    self.advice = advice
    self.cache = cache
  }

  /// Runs once.
  /// - Throws: ``RecordError``: ``RecordError/notOwnedOrWritable(path:)`` when the kernel keeps the residency of a chosen file from this
  ///   user, ``RecordError/cacheState(path:what:)`` when the cache could not be prepared.
  public func measure() throws(RecordError) -> KernelMeasurement {
    let program = try Program(command)
    let (files, advice, cache) = (files, advice, cache)
    return try onOwnThread { () throws(RecordError) in
      var chosen: [ChosenFile] = []
      for path in files {
        let file = try ChosenFile(path)
        if !chosen.contains(where: { $0.isSame(as: file) }) { chosen.append(file) }
      }
      for file in chosen { try file.prepare(cache) }
      return try Self.run(program, chosen, advice)
    }
  }

  private static func run(
    _ program: Program, _ chosen: [ChosenFile], _ advice: Advice?
  ) throws(RecordError) -> KernelMeasurement {
    let before = try chosen.map { file throws(RecordError) in try file.resident() }
    var run = TracedRun(program)
    run.events = MeasuringSession.events
    let (session, outcome) = try run.run { (sampler, files, _) in
      MeasuringSession(sampler: sampler, files: files, chosen: chosen, advice: advice)
    }
    var (cached, brought) = (0, 0)
    for (file, old) in zip(chosen, before) {
      let new = try file.settled()
      cached += Residency.count(new)
      brought += Residency.count(new) - Residency.common(old, new)
    }
    return KernelMeasurement(
      majorFaults: session.majorFaults, minorFaults: session.minorFaults, pagesMapped: session.pagesMapped,
      pagesMappedHuge: session.pagesMappedHuge,
      pagesCached: cached, readBytes: brought * Int(getpagesize()), processReadBytes: session.readBytes,
      wallNanoseconds: outcome.wallNanoseconds, end: outcome.end)
  }
}
