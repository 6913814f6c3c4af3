import FaultlineWhatIf
import Glibc
import Testing

/// The command from outside: exit codes, one clear line for each mistake, nothing left behind.
@Suite(.serialized) struct CommandTests {
  @Test(arguments: [
    (["whatif", "--", "/no/such/program"], 2, "cannot run '/no/such/program'"),
    (["whatif", "--", "true"], 2, "add --include-text"),
    (["whatif", "--files", "*.none", "--", "true"], 2, "matches '*.none'"),
    (["whatif"], 2, "name a program behind --"),
    (["whatif", "true"], 2, "faultline whatif … -- PROGRAM"),
    (["whatif", "--policy", "madvise=often", "--", "true"], 2, "character 9: 'often' is not one of"),
    (["whatif", "--only", "--", "true"], 2, "--only needs a --policy"),
    (["whatif", "--json", "--csv", "--", "true"], 2, "exclude each other"),
    (["whatif", "--verify", "--coarse", "--", "true"], 2, "leave out --coarse"),
    (["whatif", "--kernel", "2.4", "--", "true"], 2, "'6.1', '6.12' or '6.18'"),
    (["record", "--", "true"], 2, "--output"),
    (["record", "-o", "/no/such/file", "--", "true"], 2, "cannot write the trace '/no/such/file'"),
    (["replay", "/no/such/file"], 2, "cannot read the trace"),
    (["replay", "/etc/passwd"], 2, "is not a Faultline trace"),
    (["frobnicate"], 2, "frobnicate"),
  ])
  func mistakesGetOneLineAndLeaveNothing(arguments: [String], code: Int32, says: String) throws {
    let directory = try TestDirectory()
    let run = try CommandRun(arguments, directory: directory.path)
    #expect(run.code == code)
    #expect(run.complaint.contains(says), "\(run.complaint)")
    #expect(run.complaint.hasPrefix("faultline: "))
    #expect(!run.complaint.contains("\n"))
    #expect(run.output.isEmpty)
    #expect(directory.names == [])
  }

  @Test func emptyTraceIsNamedAsSuch() throws {
    let file = ScratchFile("empty")
    close(creat(file.path, 0o600))
    let run = try CommandRun(["replay", file.path])
    #expect(run.code == 2)
    #expect(run.complaint.contains("is empty"))
  }

  @Test func demoShowsATableAndRemovesItsFile() throws {
    let directory = try TestDirectory()
    let run = try CommandRun(["whatif", "--demo"], directory: directory.path)
    #expect(run.code == 0, "\(run.complaint)")
    #expect(run.output.contains("163 first touches of"))
    #expect(run.output.contains("best: "))
    #expect(directory.names == [])
  }

  @Test func whatTheProgramPrintsStaysOutOfTheAnswer() throws {
    let run = try CommandRun(["whatif", "--json", "--include-text", "--", "echo", "hello"])
    #expect(run.code == 0)
    #expect(run.output.hasPrefix("{") && run.output.hasSuffix("}"))
    #expect(!run.output.contains("hello\n"))
    #expect(run.complaint.contains("hello"))
  }

  @Test func recordingsAreReplayedAlike() throws {
    let (data, trace) = (ScratchFile.filled(pages: 2000), ScratchFile("trace"))
    let recording = try CommandRun(["record", "-o", trace.path, "--", toucher, data.path, "order=stride"])
    #expect(recording.code == 0)
    #expect(recording.complaint.contains("first touches in \(trace.path)"))
    let question = ["replay", "--csv", "--only", "--policy", "madvise=random,around=4K", trace.path]
    let lines = try CommandRun(question).output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.last?.hasPrefix("\"random, around 4K\",false,random,") == true)
    #expect(lines.last?.contains(",4096,32,0,32,0,32,131072,32,") == true)
  }

  @Test func interruptedProgramLeavesARecordingAndNoFile() throws {
    let (directory, trace) = (try TestDirectory(), ScratchFile("trace"))
    let recording = try CommandRun(
      ["record", "-o", trace.path, "--", "sleep", "60"], directory: directory.path, interruptAfter: 1)
    #expect(recording.code == 0)
    #expect(try TraceSurvey(Trace(path: trace.path)).end == .killed(signal: Int(SIGINT)))
    let whatif = try CommandRun(
      ["whatif", "--include-text", "--", "sleep", "60"], directory: directory.path, interruptAfter: 1)
    #expect(whatif.output.contains("the program was killed by signal 2"))
    #expect(directory.names == [])
  }

  /// Under MADV_RANDOM nothing is read ahead, so no page is on its way while the program runs on: however slow and busy
  /// the machine, the five runs have one answer. What readahead gives is held against the kernel by `scripts/verify-matrix`.
  @Test func verificationComparesRealRunsWithThePrediction() throws {
    let data = ScratchFile.filled(pages: 4096)
    data.drop()
    let question = ["whatif", "--verify", "--json", "--only", "--policy", "madvise=random"]
    let run = try CommandRun(question + ["--", toucher, data.path, "order=random"])
    // On a file system in memory nothing can be dropped: the command says so and gives up.
    guard run.code != 3 else { return }
    #expect(run.code == 0, "\(run.complaint)\(run.output)")
    #expect(run.output.firstRange(of: "\"verification\": []") == nil)
    #expect(run.output.firstRange(of: "\"withinRange\": false") == nil)
  }

  @Test func doctorSaysWhatWorks() throws {
    let run = try CommandRun(["doctor", "--json"])
    #expect(run.code == 0 || run.code == 3)
    for name in ["kernel", "userfaultfdWPAsync", "perfEvents", "ptrace", "faultAround", "readahead", "dax"] {
      #expect(run.output.contains("\"name\": \"\(name)\""))
    }
    #expect(try CommandRun(["doctor", "/no/such/directory"]).output.contains("cannot be looked at"))
  }

  @Test(arguments: ["whatif", "record", "replay", "doctor", "bench", "ops"])
  func helpTeachesAndSucceeds(name: String) throws {
    let run = try CommandRun([name, "--help"])
    #expect(run.code == 0)
    #expect(run.output.contains("OVERVIEW"))
  }
}
