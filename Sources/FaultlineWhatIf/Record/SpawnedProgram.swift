import CLinux
import Glibc

/// A program to run: its file, found as a shell finds it, and its arguments.
struct Program {
  let path: String
  let arguments: [String]

  /// - Throws: ``RecordError/cannotRun(program:errno:)`` when there is no such program.
  init(_ command: [String]) throws(RecordError) {
    guard let name = command.first, !name.isEmpty else { throw .cannotRun(program: "", errno: ENOENT) }
    arguments = command
    if name.contains("/") {
      path = name
      try Self.check(name)
      return
    }
    let folders = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    for folder in folders.split(separator: ":", omittingEmptySubsequences: false) {
      let candidate = (folder.isEmpty ? "." : String(folder)) + "/" + name
      if (try? Self.check(candidate)) != nil {
        path = candidate
        return
      }
    }
    throw .cannotRun(program: name, errno: ENOENT)
  }

  private static func check(_ path: String) throws(RecordError) {
    var status = stat()
    guard stat(path, &status) == 0 else { throw .cannotRun(program: path, errno: errno) }
    if status.st_mode & S_IFMT == S_IFDIR { throw .cannotRun(program: path, errno: EISDIR) }
    guard access(path, X_OK) == 0 else { throw .cannotRun(program: path, errno: errno) }
  }
}

/// A child that waits, already under ptrace, to become the program. Ends with its owner unless ``start()`` was called.
struct SpawnedProgram: ~Copyable {
  private var child = cl_child()
  private var isWaiting = true
  private let path: String

  var process: Int32 { child.pid }

  /// The calling thread becomes the tracer.
  init(_ program: Program, usesHugePages: Bool) throws(RecordError) {
    path = program.path
    guard cl_trace_supported() == 0 else {
      isWaiting = false
      throw .unavailable(what: "recording on this processor", remedy: "an x86-64 machine would enable it")
    }
    var arguments = program.arguments.map { strdup($0) } + [nil]
    let result = cl_spawn(program.path, &arguments, environ, usesHugePages ? 1 : 0, &child)
    for argument in arguments { free(argument) }
    guard result == 0 else {
      isWaiting = false
      throw .cannotRun(program: program.path, errno: -result)
    }
    let seized = cl_trace_seize(child.pid)
    guard seized == 0 else {
      throw .unavailable(
        what: "ptrace (\(systemErrorText(-seized)))",
        remedy: "a sandbox that permits it, or `sysctl kernel.yama.ptrace_scope=1`, would enable it")
    }
  }

  /// Lets the child become the program.
  mutating func start() {
    _ = cl_spawn_go(&child)
    isWaiting = false
  }

  /// Why the child could not become the program; to be asked after its end.
  mutating func startFailure() -> RecordError? {
    let result = cl_spawn_result(&child)
    return result == 0 ? nil : .cannotRun(program: path, errno: -result)
  }

  deinit {
    if isWaiting {
      kill(child.pid, SIGKILL)
      var stop = cl_stop()
      while cl_trace_wait(child.pid, &stop) == 0, Int(stop.kind) != CL_STOP_EXITED {
        _ = cl_trace_resume(child.pid, Int32(CL_RESUME), 0)
      }
      close(child.go)
    }
    if child.pid != 0, child.failure > 0 { close(child.failure) }
  }
}
