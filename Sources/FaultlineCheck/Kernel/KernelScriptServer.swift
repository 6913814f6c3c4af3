import CLinux
import Faultline
import Glibc

/// The far end of ``KernelScriptRunner``: a small process that forks one child for each script it is sent.
///
/// Standard input carries scripts, each behind a line with its size in bytes; standard output one JSON object a line: first
/// the machine, then for each script its results, an `error` if it could not be run to its end, and an `end`.
public enum KernelScriptServer {
  /// Serves until the input ends.
  ///
  /// - Parameters:
  ///   - directory: where the scripts' files lie.
  ///   - settleMilliseconds: time for the kernel to come to rest after each operation.
  public static func serve(directory: String, settleMilliseconds: Int64) {
    let output = LineWriter(descriptor: 1)
    var input = LineReader(descriptor: 0)
    output.write(environment(directory: directory, settleMilliseconds: settleMilliseconds))
    while let header = input.line(), let size = Int(header), size >= 0, let text = input.bytes(size) {
      output.write(.object([.init("op", .string("end")), .init("status", .integer(status(of: text)))]))
    }

    func status(of text: String) -> Int64 {
      let pid = cl_fork()
      if pid == 0 {
        // Each processor collects pages for itself; a look after a move would find those of another half done.
        _ = cl_stay_on_this_processor()
        do throws(ScriptRunError) {
          try run(text, in: directory, settleMilliseconds) { output.write($0) }
        } catch {
          output.write(report(error))
        }
        _exit(0)
      }
      var status: Int32 = pid < 0 ? -1 : 0
      while pid > 0, waitpid(pid, &status, 0) < 0, errno == EINTR {}
      return Int64(status)
    }
  }

  private static func run(
    _ text: String, in directory: String, _ settleMilliseconds: Int64, emit: @escaping (JSONValue) -> Void
  ) throws(ScriptRunError) {
    let script: OperationScript
    do {
      script = try OperationScript(parsing: text)
    } catch {
      throw .limit(error.description, line: error.line)
    }
    let program = try KernelProgram(directory: directory, settleMilliseconds: settleMilliseconds, emit: emit)
    try program.run(script.lines, by: "parent")
  }

  static func report(_ error: ScriptRunError) -> JSONValue {
    var isOfHost = false
    if case .host = error { isOfHost = true }
    return .object([
      .init("op", .string("error")), .init("isOfHost", .boolean(isOfHost)),
      .init("message", .string(error.description)),
    ])
  }

  private static func environment(directory: String, settleMilliseconds: Int64) -> JSONValue {
    var names = utsname()
    uname(&names)
    let release = withUnsafeBytes(of: names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    var fileSystem = cl_file_system()
    _ = cl_file_system(directory, &fileSystem)
    let device = "\(fileSystem.major):\(fileSystem.minor)"
    let readahead = KernelProgram.contents(of: "/sys/class/bdi/\(device)/read_ahead_kb")?.split(separator: "\n").first
    return .object([
      .init("op", .string("env")), .init("kernel", .string(release)),
      .init("fs_magic", .string("0x" + String(fileSystem.magic, radix: 16))),
      .init("bsize", .integer(fileSystem.block_size)),
      .init("read_ahead_kb", readahead.flatMap { Int64($0) }.map(JSONValue.integer) ?? .null),
      .init("arena", .string("0x" + String(ScriptRunner.arena.rawValue, radix: 16))),
      .init("page", .integer(Int64(PageSize.bytes))), .init("pagemap_scan", .boolean(true)),
      .init("trace", .boolean(false)), .init("settle_ms", .integer(settleMilliseconds)),
    ])
  }
}
