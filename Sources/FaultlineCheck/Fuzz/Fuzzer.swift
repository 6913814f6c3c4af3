import Faultline

/// Runs drawn scripts and reports the first that breaks an invariant, as small as it can be made.
public struct Fuzzer {
  /// A script that fails, and how.
  public struct Finding: Sendable, CustomStringConvertible {
    /// The smallest script that was found to fail in the same way.
    public let script: [String]
    public let fileSystem: ScriptFileSystem
    /// The script's last line is the one after which this was seen.
    public let problem: String

    public var description: String {
      "on \(fileSystem.rawValue): \(problem)\n" + script.joined(separator: "\n")
    }
  }

  /// How far a run came.
  public struct Progress: Sendable {
    public let operations: Int
    public let scripts: Int
  }

  static let operationsPerScript = 40

  private let rules: KernelRules
  private let fileSystems: [ScriptFileSystem]
  private let cacheLimit: UInt64?

  /// - Parameters:
  ///   - fileSystems: the scripts take turns on them.
  ///   - cacheLimit: pages that may be cached; fewer than the scripts' files have, and reclaim takes part.
  public init(
    rules: KernelRules = .linux6_18, fileSystems: [ScriptFileSystem] = [.tmpfs, .ext4Journal, .tmpfsHuge, .ext4, .xfs],
    cacheLimit: UInt64? = nil
  ) {
    self.rules = rules
    self.cacheLimit = cacheLimit
    self.fileSystems = fileSystems
  }

  /// Runs at least `operations` operations.
  ///
  /// - Parameter progress: called after each script; `false` ends the run.
  /// - Returns: the first finding, or `nil` when there was none.
  /// - Throws: ``ScriptRunError`` when the host gives no memory.
  public func run(
    operations: Int, seed: UInt64, progress: (Progress) -> Bool = { _ in true }
  ) throws(ScriptRunError) -> Finding? {
    var done = 0
    var scripts = 0
    while done < operations {
      var generator = ScriptGenerator(seed: seed &+ UInt64(scripts))
      let lines = generator.lines(Self.operationsPerScript)
      let fileSystem = fileSystems[scripts % fileSystems.count]
      if let problem = try problem(of: lines, on: fileSystem) {
        let law = Self.law(of: problem)
        let smallest = try ScriptShrinker.smallest(lines, problem) { fewer throws(ScriptRunError) -> String? in
          guard let found = try self.problem(of: fewer, on: fileSystem), Self.law(of: found) == law else { return nil }
          return found
        }
        return Finding(script: smallest.lines, fileSystem: fileSystem, problem: smallest.problem)
      }
      done += lines.count
      scripts += 1
      if !progress(Progress(operations: done, scripts: scripts)) { return nil }
    }
    return nil
  }

  /// What is wrong after the first operation after which something is; `nil` when all is well.
  ///
  /// A script that names what its earlier lines no longer make is not wrong: it ends there.
  private func problem(of lines: [String], on fileSystem: ScriptFileSystem) throws(ScriptRunError) -> String? {
    guard let script = try? OperationScript(parsing: lines.joined(separator: "\n")) else { return nil }
    let runner = try ScriptRunner(fileSystem: fileSystem, rules: rules)
    runner.machine.cacheLimit = cacheLimit
    runner.looks = false
    var problem: String?
    do {
      try runner.run(script) { result in
        if problem == nil, let violation = runner.violations().first {
          problem = "after line \(result["i"].map(String.init(describing:)) ?? "?"): \(violation)"
        }
      }
    } catch {
      switch error {
      case .host: throw error
      default: break
      }
    }
    return problem
  }

  private static func law(of problem: String) -> String? {
    Law.allCases.first { problem.contains($0.rawValue) }?.rawValue
  }
}

extension ScriptRunner {
  /// What the engine's state breaks after the operation that just ended.
  public func violations() -> [Violation] { Invariants(machine: machine).check() }
}
