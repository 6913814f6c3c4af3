import ArgumentParser
import Faultline
import FaultlineWhatIf

/// What `whatif` and `replay` share: the question, and the form of the answer.
struct WhatIfOptions: ParsableArguments {
  @Option(
    name: .customLong("policy"),
    help: ArgumentHelp(
      "Ask about one more policy; may be repeated.",
      discussion: """
        Pairs of madvise=asrecorded|normal|random|sequential|willneed|populate|hugepage|nohugepage, readahead=SIZE|device, around=SIZE \
        and name=TEXT, separated by commas; what is left out stays as recorded.
        """, valueName: "key=value,..."),
    transform: { try Policy(parsing: $0) })
  var policies: [Policy] = []

  @Flag(help: "Ask about the policies given by --policy alone.")
  var only = false

  @Option(
    name: .customLong("assert"),
    help: ArgumentHelp(
      "Exit with 1 unless a condition holds; may be repeated.",
      discussion: """
        major, minor, mapped, pmdMapped (pages mapped 2 MiB at once, or with % their share), cached, read (bytes) or \
        requests, then <=, >=, ==, < or > and a number. The row is the program as recorded, or the one named before a \
        colon: 'major<=100', 'pmdMapped>=90%', 'random:cached<2000'.
        """, valueName: "condition"),
    transform: { try Assertion(parsing: $0) })
  var assertions: [Assertion] = []

  @Option(
    help: """
      Page cache at the start. Default: cold, but files whose residency this user cannot know count as resident.
      """)
  var cache: CacheStart?

  @Option(
    name: .customLong("files"),
    help: ArgumentHelp(
      "Only files that match a shell pattern; may be repeated. Default: every mapped file but programs and libraries.",
      valueName: "glob"))
  var patterns: [String] = []

  @Flag(help: "Take programs and libraries too.")
  var includeText = false

  @Option(help: "Follow the rules of Linux 6.1, 6.12 or 6.18. Default: the nearest to the recording kernel.")
  var kernel: KernelArgument?

  @Flag(help: "Print one JSON object.")
  var json = false

  @Flag(help: "Print comma-separated values.")
  var csv = false

  func validate() throws {
    if only && policies.isEmpty { throw ValidationError("--only needs a --policy to ask about") }
    if json && csv { throw ValidationError("--json and --csv exclude each other: choose one form for the answer") }
  }

  /// stdout holds the answer and nothing else.
  var isForMachines: Bool { json || csv }

  var question: WhatIf {
    var question = WhatIf()
    question.policies = policies
    question.asksStandard = !only
    question.cache = cache
    question.files = FileChoice(patterns: patterns, includesText: includeText)
    question.rules = kernel?.rules
    return question
  }

  /// Replays with a progress line.
  func answer(on trace: Trace) throws(WhatIfError) -> WhatIfReport {
    var line = ProgressLine()
    defer { line.wipe() }
    return try question.answer(on: trace) { line.show("replaying: \($0.policy)", fraction: $0.fraction) }
  }

  /// Checks what was asserted and prints the answer.
  ///
  /// - Throws: ``AssertionError`` for a row that is not there, an exit code when something asserted or verified is not so.
  func conclude(_ report: WhatIfReport) throws {
    var report = report
    report.assertions = try assertions.map { try $0.check(report) }
    print(report)
    for failed in report.assertions where !failed.holds {
      Terminal.say("faultline: '\(failed.assertion)' does not hold: \(failed.value)")
    }
    guard report.assertions.allSatisfy(\.holds), report.verification.allSatisfy(\.isWithinRange) else {
      throw ExitCode(ExitStatus.failed.rawValue)
    }
  }

  /// The answer in the form that was asked for.
  private func print(_ report: WhatIfReport) {
    if json {
      Swift.print(report.json.text)
    } else if csv {
      Swift.print(report.csvText)
    } else {
      Swift.print(report.tableText)
    }
  }
}

extension CacheStart: ExpressibleByArgument {}

/// A kernel by its version.
struct KernelArgument: ExpressibleByArgument {
  static var allValueStrings: [String] { KernelRules.all.map(\.name) }

  let rules: KernelRules

  init?(argument: String) {
    guard let rules = KernelRules.all.first(where: { $0.name == argument }) else { return nil }
    self.rules = rules
  }
}
