import ArgumentParser
import FaultlineWhatIf

/// `faultline bench pin`
struct BenchPinCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pin",
    abstract: "Pin 16 GiB with one step for every page and one for every folio, beside loops in C.",
    discussion: """
      The experiment of the patch that counts a device's huge pages by their heads. With one of gup_test's letters it is \
      that program on the engine, and prints its lines:
        faultline bench pin -a -m 16384 -r 10 -n 512 -w -H
        PIN_FAST_BENCHMARK: Time: get:1050 put:1180 us
      """)

  @OptionGroup var options: BenchOptions
  @OptionGroup(title: "As gup_test") var gupTest: GupTestOptions

  func run() throws {
    if let wanted = gupTest.wanted {
      guard !options.quick else { throw ValidationError("--quick goes without gup_test's letters: take less with -m.") }
      let test = try GupTest(wanted)
      return try options.show(test.report, table: test.text)
    }
    let bench = try options.measure("pin") { try PinBench(quick: options.quick, progress: $0) }
    try options.show(bench.report, table: bench.tableText)
  }
}

/// The letters of gup_test that have a meaning here, and what they begin with there.
struct GupTestOptions: ParsableArguments {
  @Flag(name: .customShort("u"), help: "Time references without locks (the default of the letters).")
  var getFast = false
  @Flag(name: .customShort("a"), help: "Time pins without locks.")
  var pinFast = false
  @Flag(name: .customShort("U"), help: "Time references under the address space's lock.")
  var getSlow = false
  @Flag(name: .customShort("b"), help: "Time pins under that lock.")
  var pinSlow = false
  @Flag(name: .customShort("L"), help: "Time pins for long.")
  var pinLongTerm = false

  @Option(name: .customShort("m"), help: ArgumentHelp("Memory; 128 unless given.", valueName: "MiB"))
  var mebibytes: UInt64?
  @Option(name: .customShort("n"), help: ArgumentHelp("Pages that a call takes; 1 unless given.", valueName: "pages"))
  var pagesPerCall: UInt64?
  @Option(name: .customShort("r"), help: ArgumentHelp("Repeats; 1 unless given.", valueName: "count"))
  var repeats: Int?
  @Option(name: .customShort("j"), help: ArgumentHelp("Threads, over the same memory.", valueName: "count"))
  var threads: Int?

  @Flag(name: .customShort("w"), help: "Pages that will be stored to (the default).")
  var writes = false
  @Flag(name: .customShort("W"), help: "Pages that will be read.")
  var reads = false
  @Flag(name: .customShort("S"), help: "Folios of 4 KiB.")
  var single = false
  @Flag(name: .customShort("H"), help: "Folios of 2 MiB (the default).")
  var huge = false
  @Flag(name: .customShort("G"), help: "Folios of 1 GiB.")
  var giant = false
  @Flag(help: "Private memory instead of a device's.")
  var anonymous = false
  @Flag(help: "Record only heads.")
  var heads = false

  private var commands: [(flag: Bool, command: GupTest.Command)] {
    [
      (getFast, .getFast), (pinFast, .pinFast), (getSlow, .getSlow), (pinSlow, .pinSlow), (pinLongTerm, .pinLongTerm),
    ]
  }

  private var sizes: [(flag: Bool, size: FolioSize)] { [(single, .single), (huge, .huge), (giant, .giant)] }

  func validate() throws {
    guard commands.filter(\.flag).count <= 1 else { throw ValidationError("give one of -u, -a, -U, -b and -L.") }
    guard sizes.filter(\.flag).count <= 1 else { throw ValidationError("give one of -S, -H and -G.") }
    guard !writes || !reads else { throw ValidationError("give one of -w and -W.") }
  }

  /// `nil` without any of the letters.
  var wanted: GupTest.Options? {
    let isAsked =
      commands.contains(where: \.flag) || sizes.contains(where: \.flag) || writes || reads || anonymous || heads
      || mebibytes != nil || pagesPerCall != nil || repeats != nil || threads != nil
    guard isAsked else { return nil }
    var wanted = GupTest.Options()
    wanted.command = commands.first(where: \.flag)?.command ?? wanted.command
    wanted.folios = sizes.first(where: \.flag)?.size ?? wanted.folios
    wanted.mebibytes = mebibytes ?? wanted.mebibytes
    wanted.pagesPerCall = pagesPerCall ?? wanted.pagesPerCall
    wanted.repeats = repeats ?? wanted.repeats
    wanted.threads = threads ?? wanted.threads
    wanted.writes = !reads
    wanted.isAnonymous = anonymous
    wanted.headsOnly = heads
    return wanted
  }
}

extension PinBenchError: ExitStatusError {
  var exitStatus: ExitStatus {
    switch self {
    case .options: .usage
    case .partial, .loops: .failed
    case .memory: .unavailable
    }
  }
}
