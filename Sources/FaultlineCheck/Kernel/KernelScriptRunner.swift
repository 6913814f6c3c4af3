import CLinux
import Faultline
import Glibc

/// Runs operation scripts on the kernel of this machine, as the user who calls, and tells what ``ScriptRunner`` tells of the
/// engine.
///
/// Each script runs in a process of its own, started through a small server process that lives as long as the runner. A
/// runner is used by one thread, and dies with it.
public final class KernelScriptRunner {
  /// The machine, as the first line of a recording has it.
  public let environment: JSONValue
  /// What the directory lies on; `nil` where it is nothing the recordings know.
  public let fileSystem: ScriptFileSystem?
  private let child: cl_script_child
  private var lines: LineReader

  /// - Parameters:
  ///   - server: a program and its arguments that calls ``KernelScriptServer/serve(directory:settleMilliseconds:)`` for the
  ///     same directory. The command `faultline` has a hidden subcommand for it.
  ///   - directory: where the scripts' files lie; they have no names.
  /// - Throws: ``KernelRunError`` when the server does not start.
  public init(server: [String], directory: String) throws(KernelRunError) {
    guard let program = server.first else { throw .unavailable("no program to run scripts with") }
    var child = cl_script_child()
    var arguments = server.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    let started = cl_script_spawn(program, &arguments, &child)
    guard started == 0 else { throw .unavailable("\(program) does not start (\(KernelCall.errnoName(-started)))") }
    self.child = child
    lines = LineReader(descriptor: child.output)
    fileSystem = MountTable.fileSystem(of: directory)
    guard let first = lines.line(), let environment = try? JSONParser.parse(first) else {
      Self.end(child)
      throw .unavailable("\(program) does not run scripts: it said nothing about this machine")
    }
    self.environment = environment
  }

  deinit { Self.end(child) }

  private static func end(_ child: cl_script_child) {
    close(child.input)
    close(child.output)
    while waitpid(child.pid, nil, 0) < 0, errno == EINTR {}
  }

  /// Runs the operations and hands out one result each, as soon as it is there.
  ///
  /// - Throws: ``KernelRunError`` at the first operation that cannot be run; the results before it are handed out.
  public func run(_ text: String, each: (JSONValue) -> Void) throws(KernelRunError) {
    LineWriter(descriptor: child.input).write("\(text.utf8.count)\n" + text)
    var problem: KernelRunError?
    while true {
      guard let line = lines.line(), let value = try? JSONParser.parse(line) else {
        throw .died("the process that runs scripts ended")
      }
      switch value["op"]?.stringValue {
      case "end":
        if let problem { throw problem }
        if let status = value["status"]?.integerValue, status != 0 {
          throw .died("the script's process ended with wait status \(status)")
        }
        return
      case "error":
        let message = value["message"]?.stringValue ?? "?"
        problem = value["isOfHost"] == .boolean(true) ? .unavailable(message) : .script(message)
      default: each(value)
      }
    }
  }

  /// The results of a whole script.
  public func record(_ text: String) throws(KernelRunError) -> Recording {
    var results: [JSONValue] = []
    try run(text) { results.append($0) }
    return Recording(environment: environment, results: results)
  }
}

/// Why a script could not be run to its end on this machine's kernel.
public enum KernelRunError: Error, Equatable, Sendable, CustomStringConvertible {
  /// This machine or this user cannot do it; the text says what is missing.
  case unavailable(String)
  /// The script asks for what it did not make, or for what cannot be seen without privileges.
  case script(String)
  /// The process that ran the script is gone.
  case died(String)

  public var description: String {
    switch self {
    case .unavailable(let message), .script(let message), .died(let message): message
    }
  }
}
