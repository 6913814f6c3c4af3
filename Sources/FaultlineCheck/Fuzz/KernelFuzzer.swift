import Faultline

/// Runs drawn scripts on the engine and on this machine's kernel and reports where the two differ, in as few lines as it
/// takes.
///
/// Used by one thread, like the runner that it holds.
public struct KernelFuzzer {
  /// A script on which the engine does not do what the kernel does.
  public struct Finding: Sendable, CustomStringConvertible {
    /// The smallest script that was found to differ in the same way.
    public let script: [String]
    public let fileSystem: ScriptFileSystem
    /// The first difference; what was expected is the kernel's.
    public let difference: RecordingComparison.Difference
    /// The first line of the drawn script's seed.
    public let seed: UInt64

    public var description: String {
      "on \(fileSystem.rawValue), seed \(seed): \(difference)\n" + script.joined(separator: "\n")
    }

    /// What kind of difference it is: the operation and the field, without the numbers in them.
    public var kind: String { KernelFuzzer.kind(of: difference) }
  }

  /// Times that the kernel is asked before its answer counts.
  private static let repetitions = 3

  private let kernel: KernelScriptRunner
  private let fileSystem: ScriptFileSystem
  private let rules: KernelRules
  private let vocabulary: ScriptGenerator.Vocabulary

  /// - Parameters:
  ///   - kernel: the runner of the directory to be held against.
  ///   - fileSystem: what lies there.
  /// - Throws: ``KernelRunError/unavailable(_:)`` when the directory's file system has other blocks than the engine's.
  public init(
    kernel: KernelScriptRunner, fileSystem: ScriptFileSystem, rules: KernelRules = .linux6_18,
    vocabulary: ScriptGenerator.Vocabulary? = nil
  ) throws(KernelRunError) {
    guard kernel.environment["bsize"] == .integer(Int64(PageSize.bytes)) else {
      throw .unavailable("the engine's file systems have blocks of a page; this one's are of another size")
    }
    self.kernel = kernel
    self.fileSystem = fileSystem
    self.rules = rules
    self.vocabulary = vocabulary ?? fileSystem.comparable
  }

  /// Runs at least `operations` operations.
  ///
  /// - Parameters:
  ///   - wanted: the run ends with this many findings of different kinds.
  ///   - found: called with each of them.
  ///   - progress: called after each script; `false` ends the run.
  /// - Returns: how far the run came.
  /// - Throws: ``KernelRunError`` when the kernel cannot be asked any more, or the host gives the engine no memory.
  public func run(
    operations: Int, seed: UInt64, wanted: Int = 1, found: (Finding) -> Void,
    progress: (Fuzzer.Progress) -> Bool = { _ in true }
  ) throws(KernelRunError) -> Fuzzer.Progress {
    var done = Fuzzer.Progress(operations: 0, scripts: 0)
    var kinds: Set<String> = []
    while done.operations < operations, kinds.count < wanted {
      let own = seed &+ UInt64(done.scripts)
      var generator = ScriptGenerator(seed: own, vocabulary: vocabulary)
      let lines = generator.lines(Fuzzer.operationsPerScript)
      if let difference = try stableDifference(of: lines), kinds.insert(Self.kind(of: difference)).inserted {
        found(try smallest(lines, difference, seed: own))
      }
      done = Fuzzer.Progress(operations: done.operations + lines.count, scripts: done.scripts + 1)
      if !progress(done) { break }
    }
    return done
  }

  private func smallest(
    _ lines: [String], _ difference: RecordingComparison.Difference, seed: UInt64
  ) throws(KernelRunError) -> Finding {
    let kind = Self.kind(of: difference)
    // What came later is not to blame, and asking costs three runs on the kernel.
    var start = Array(lines.prefix(Int(clamping: difference.line)))
    if let fork = start.lastIndex(of: "fork"), !start[fork...].contains("endfork") { start.append("endfork") }
    let smallest = try ScriptShrinker.smallest(start, difference) {
      (fewer) throws(KernelRunError) -> RecordingComparison.Difference? in
      guard let found = try stableDifference(of: fewer), Self.kind(of: found) == kind else { return nil }
      return found
    }
    return Finding(script: smallest.lines, fileSystem: fileSystem, difference: smallest.problem, seed: seed)
  }

  static func kind(of difference: RecordingComparison.Difference) -> String {
    let keyword = difference.operation.prefix { $0 != " " }
    return keyword + " " + difference.field.filter { !$0.isNumber }
  }

  /// The first difference that the kernel stands by: it depends on time what a kernel reads from a disk, and a difference
  /// that comes and goes says nothing about a rule.
  private func stableDifference(of lines: [String]) throws(KernelRunError) -> RecordingComparison.Difference? {
    let text = lines.joined(separator: "\n")
    guard let script = try? OperationScript(parsing: text), let engine = try engineResults(of: script) else {
      return nil
    }
    var first: RecordingComparison.Difference?
    for _ in 0..<Self.repetitions {
      let recorded = Recording(environment: kernel.environment, results: try kernelResults(of: text))
      let difference = RecordingComparison(expected: recorded, actual: engine).differences.first(where: Self.isTold)
      guard let difference, first == nil || first == difference else { return nil }
      first = difference
    }
    return first
  }

  /// Which pages count as referenced is also the business of the kernel's own threads, which age them.
  private static func isTold(_ difference: RecordingComparison.Difference) -> Bool {
    !difference.field.hasSuffix(".Referenced")
  }

  /// `nil` where the engine does not have an operation yet. A script that names what its earlier lines no longer make ends
  /// there, on both sides.
  private func engineResults(of script: OperationScript) throws(KernelRunError) -> Recording? {
    let runner: ScriptRunner
    var results: [JSONValue] = []
    do {
      runner = try ScriptRunner(
        fileSystem: fileSystem, rules: rules,
        readaheadPages: kernel.environment["read_ahead_kb"]?.integerValue.map { UInt64(clamping: $0) / 4 })
    } catch {
      throw .unavailable(error.description)
    }
    do {
      try runner.run(script) { results.append($0) }
    } catch {
      switch error {
      case .host(let message): throw .unavailable(message)
      case .notYetSupported: return nil
      default: break
      }
    }
    return Recording(environment: runner.environment, results: results)
  }

  private func kernelResults(of text: String) throws(KernelRunError) -> [JSONValue] {
    var results: [JSONValue] = []
    do {
      try kernel.run(text) { results.append($0) }
    } catch {
      switch error {
      case .script: break
      default: throw error
      }
    }
    return results
  }
}

extension ScriptFileSystem {
  /// What can be drawn without meeting what the engine is known not to do.
  fileprivate var comparable: ScriptGenerator.Vocabulary {
    switch self {
    case .tmpfs, .tmpfsHuge: .everything
    // A sync there write-protects the dirty pages of other files as well.
    case .ext4Journal: .everything.subtracting(.severalFiles).union(.restingTouches)
    case .ext4, .xfs, .ext4DAX, .xfsDAX: .everything.union(.restingTouches)
    }
  }
}
