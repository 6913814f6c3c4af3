import Glibc

@testable import FaultlineWhatIf

/// One run of the command `faultline`, with what it printed.
struct CommandRun {
  let code: Int32
  let output: String
  /// What a person reads when something is wrong: stderr.
  let complaint: String

  /// - Parameter interruptAfter: seconds after which the run gets SIGINT, as from Ctrl-C; nil lets it end.
  init(_ arguments: [String], directory: String = "/tmp", interruptAfter: Double? = nil) throws {
    let (outputFile, errorFile) = (ScratchFile("output"), ScratchFile("errors"))
    let words = ([builtProgram("faultline")] + arguments).map {
      "'\($0.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
    }
    let line =
      "cd '\(directory)' && exec env TMPDIR='\(directory)' \(words.joined(separator: " "))"
      + " > '\(outputFile.path)' 2> '\(errorFile.path)'"
    // Background jobs of a shell ignore SIGINT, and the tests may be one; a test runner may block it.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var interrupt = sigset_t()
    sigemptyset(&interrupt)
    sigaddset(&interrupt, SIGINT)
    posix_spawnattr_setsigdefault(&attributes, &interrupt)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var pid = pid_t()
    var argv: [UnsafeMutablePointer<CChar>?] = [strdup("sh"), strdup("-c"), strdup(line), nil]
    defer { for word in argv { free(word) } }
    guard posix_spawn(&pid, "/bin/sh", nil, &attributes, &argv, environ) == 0 else {
      throw RecordError.cannotRun(program: "sh", errno: errno)
    }
    if let interruptAfter {
      usleep(UInt32(interruptAfter * 1e6))
      kill(pid, SIGINT)
    }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    code = status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F)
    output = textLines(outputFile.path).joined(separator: "\n")
    complaint = textLines(errorFile.path).joined(separator: "\n")
  }
}

/// A directory that holds nothing else, so that what is left behind shows.
final class TestDirectory {
  let path: String

  init() throws {
    var template = Array("/tmp/faultline-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw RecordError.cannotRun(program: "mkdtemp", errno: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { rmdir(path) }

  /// Names in it but `.` and `..`.
  var names: [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
