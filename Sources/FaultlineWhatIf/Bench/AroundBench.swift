import Faultline

/// `bench around`: what fault-around would do with a window of 1, 2, 4 … 512 pages, for patterns and for recorded programs.
///
/// The question of the patch that brought fault-around: which window takes most faults away before mapping in vain costs
/// more than it saves? Every file page is cached, so the answer is about faults alone.
public struct AroundBench: Sendable {
  public let sweeps: [AroundSweep]
  /// What the times were estimated from.
  public let costs: EventCosts
  /// Empty where no temporary file can be made.
  public let kernel: [KernelCount]
  /// Nothing is judged in a quick run.
  public let isQuick: Bool

  /// The faults of one pattern on the running kernel, and what the engine says for the window of that kernel.
  public struct KernelCount: Sendable, Equatable {
    public let name: String
    public let order: Int
    public let counted: UInt64
    public let predicted: UInt64
  }

  /// The window of every kernel since 3.15, if nobody changed it.
  static let usualOrder = 4

  /// - Parameters:
  ///   - tracePaths: traces of either format. A text trace that was recorded with fault-around on is not replayed: it tells
  ///     what the kernel counted, and where, for the first-touch trace of the same command.
  ///   - quick: small patterns.
  /// - Throws: ``TraceError``, ``TextTraceError``, ``WhatIfError``.
  public init(tracePaths: [String], quick: Bool) throws {
    let model: any CostModel = CalibratedCostModel(directories: [".", "/var/tmp", "/tmp"]) ?? FixedCostModel()
    costs = model.costs
    isQuick = quick
    let recordings = try AroundRecordings(tracePaths)
    let filePages: UInt64 = quick ? 1 << 14 : 1 << 18
    let patterns: [AroundSweep]
    do throws(KernelError) {
      var sweeps: [AroundSweep] = []
      for kind in AroundPattern.Kind.allCases {
        sweeps.append(try AroundSweep(pattern: AroundPattern(kind, filePages: filePages), costs: model))
      }
      patterns = sweeps
      kernel = try AroundBench.countOnKernel()
    } catch {
      throw WhatIfError.engine(error)
    }
    var sweeps = patterns
    for recording in recordings.all {
      var sweep = try AroundSweep(name: recording.name, trace: recording.trace, costs: model)
      sweep.recordedFaults = recording.recordedFaults
      sweeps.append(sweep)
    }
    self.sweeps = sweeps
  }

  init(sweeps: [AroundSweep], costs: EventCosts, kernel: [KernelCount], isQuick: Bool) {
    self.sweeps = sweeps
    self.costs = costs
    self.kernel = kernel
    self.isQuick = isQuick
  }
}
