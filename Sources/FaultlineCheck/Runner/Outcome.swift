import Faultline

/// What came of one operation, before it is put into words.
struct Outcome {
  /// A fault of a touch operation.
  struct Fault {
    var page: Int64
    var minor: UInt64
    var major: UInt64
    var signal: Signal?
  }

  var returned: Int64 = 0
  var errno: Errno?
  /// The signal of a single access, and its page in the mapping.
  var signal: (Signal, page: Int64)?
  var minorFaults: UInt64 = 0
  var majorFaults: UInt64 = 0
  /// The value read, or the sum of the bytes read.
  var value: UInt64?
  var sequence: [Int64]?
  var faults: [Fault]?
  /// What only this kind of operation tells.
  var details: [JSONValue.Member] = []

  static func failed(_ errno: Errno) -> Outcome {
    var outcome = Outcome()
    outcome.fail(errno)
    return outcome
  }

  mutating func fail(_ errno: Errno) {
    returned = -1
    self.errno = errno
  }

  /// In the order of the recordings.
  func members(of line: OperationScript.Line, by who: String) -> [JSONValue.Member] {
    var members: [JSONValue.Member] = [
      .init("i", .integer(Int64(line.number))), .init("who", .string(who)), .init("op", .string(line.text)),
      .init("ret", .integer(returned)),
    ]
    if let errno { members.append(.init("errno", .string(errno.name))) }
    if let (signal, page) = signal {
      members.append(.init("signal", .string(signal.name)))
      members.append(.init("si_code", .string(signal.codeName)))
      members.append(.init("si_page", .integer(page)))
    }
    members.append(.init("minflt", .integer(Int64(clamping: minorFaults))))
    members.append(.init("majflt", .integer(Int64(clamping: majorFaults))))
    if let value { members.append(.init("val", .string(FNV.hexadecimal(value)))) }
    if let sequence { members.append(.init("seq", .array(sequence.map(JSONValue.integer)))) }
    if let faults { members.append(.init("faults", .array(faults.map(\.json)))) }
    return members + details
  }
}

extension Outcome.Fault {
  fileprivate var json: JSONValue {
    var fields: [JSONValue] = [
      .integer(page), .integer(Int64(clamping: minor)), .integer(Int64(clamping: major)),
    ]
    if let signal { fields.append(.string("\(signal.name)/\(signal.codeName)")) }
    return .array(fields)
  }
}

extension Signal {
  /// The C name of the signal.
  var name: String {
    switch self {
    case .segv: "SIGSEGV"
    case .bus: "SIGBUS"
    }
  }

  /// The C name of its `si_code`.
  var codeName: String {
    switch self {
    case .segv(.mapErr): "SEGV_MAPERR"
    case .segv(.accErr): "SEGV_ACCERR"
    case .bus(.adrErr): "BUS_ADRERR"
    case .bus(.mceErrAR): "BUS_MCEERR_AR"
    }
  }
}
