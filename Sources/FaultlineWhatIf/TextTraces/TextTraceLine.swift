/// `F id pages path`
public struct TextTraceFileLine: Sendable, Equatable {
  public var id: Int
  /// Size in pages; 0 when the file was gone at the end of the recording.
  public var pages: UInt64
  public var path: String

  init?(_ line: ArraySlice<UInt8>) {
    let fields = line.split(separator: 32, maxSplits: 3).map { String(decoding: $0, as: UTF8.self) }
    guard fields.count == 4, let id = Int(fields[1]), id >= 0, let pages = UInt64(fields[2]), pages < 1 << 40 else {
      return nil
    }
    self.id = id
    self.pages = pages
    path = fields[3]
  }
}

/// One event of a text trace. A process is an address space.
public enum TextTraceLine: Sendable, Equatable {
  /// `X p name`
  case exec(process: Int, name: String)
  /// `N p parent`
  case fork(parent: Int, child: Int)
  /// `Q p`
  case exit(process: Int)
  /// `M p page n prot s|p file pgoff`: an area is new or has changed. `file` is nil for memory that belongs to no file.
  case area(TraceRange, TraceProtection, isShared: Bool, file: Int?, filePage: UInt64)
  /// `U p page n`
  case unmap(TraceRange)
  /// `R p old n new-n new`
  case remap(TraceRange, newPage: UInt64, newPages: UInt64)
  /// `A p page n advice`
  case advise(TraceRange, Int)
  case fault(TextTraceFault)

  init?(_ line: ArraySlice<UInt8>) {
    let fields = line.split(separator: 32).map { String(decoding: $0, as: UTF8.self) }
    guard fields.count >= 2, let process = Int(fields[1]), (0..<TextTraceLine.processLimit).contains(process) else {
      return nil
    }
    let input = TextFields(fields)
    switch fields[0] {
    case "X" where fields.count >= 3: self = .exec(process: process, name: fields[2])
    case "X": self = .exec(process: process, name: "")
    case "N":
      guard let parent = input.decimal(2), parent < TextTraceLine.processLimit else { return nil }
      self = .fork(parent: Int(parent), child: process)
    case "Q": self = .exit(process: process)
    case "M":
      guard let range = input.range(process, page: 2, pages: 3), fields.count == 8, let filePage = input.page(7) else {
        return nil
      }
      self = .area(
        range, TextFields.protection(fields[4]), isShared: fields[5] == "s", file: Int(fields[6]), filePage: filePage)
    case "U":
      guard let range = input.range(process, page: 2, pages: 3) else { return nil }
      self = .unmap(range)
    case "R":
      guard let range = input.range(process, page: 2, pages: 3), let pages = input.decimal(4), let page = input.page(5)
      else { return nil }
      self = .remap(range, newPage: page, newPages: pages)
    case "A":
      guard let range = input.range(process, page: 2, pages: 3), let advice = input.decimal(4), advice < 1 << 31 else {
        return nil
      }
      self = .advise(range, Int(advice))
    case "f":
      guard let fault = TextTraceFault(process: process, input) else { return nil }
      self = .fault(fault)
    default: return nil
    }
  }

  /// A touch of the binary format names its thread by 16 bits, and here every process has one.
  private static let processLimit = 1 << 16
}

/// `f p KERR page TARGET IP RESULT`
public struct TextTraceFault: Sendable, Equatable {
  public var process: Int
  public var page: UInt64
  public var access: TraceAccess
  /// What the page belongs to; nil for memory of no file.
  public var target: FilePage?
  /// The kernel counted it as minor or major; a fault that ended in a signal, or was retried, is not.
  public var isCounted: Bool

  /// A page of a file.
  public struct FilePage: Sendable, Equatable {
    public var file: Int
    public var page: UInt64
  }

  init?(process: Int, _ input: TextFields) {
    guard input.count == 7, let page = input.page(3) else { return nil }
    // Of a fault that only the counter saw, the letter stands alone: nothing is known but the page.
    let code = UInt64(input[2].dropFirst(), radix: 16) ?? 0
    self.process = process
    self.page = page
    access = code & 16 != 0 ? .execute : code & 2 != 0 ? .write : .read
    let parts = input[4].split(separator: ":")
    if parts.count == 2, let file = Int(parts[0]), let index = UInt64(parts[1], radix: 16), index < 1 << 40 {
      target = FilePage(file: file, page: index)
    }
    isCounted = input[6] != "-"
  }
}

/// The fields of one line; `nil` from any call means that the field is missing or no such number.
struct TextFields {
  private let fields: [String]

  init(_ fields: [String]) { self.fields = fields }

  var count: Int { fields.count }
  subscript(_ index: Int) -> String { fields[index] }

  func decimal(_ index: Int) -> UInt64? {
    guard index < fields.count, let value = UInt64(fields[index]), value < 1 << 40 else { return nil }
    return value
  }

  /// A page number: what a 64-bit address space can hold.
  func page(_ index: Int) -> UInt64? {
    guard index < fields.count, let value = UInt64(fields[index], radix: 16), value < 1 << 52 else { return nil }
    return value
  }

  func range(_ process: Int, page first: Int, pages: Int) -> TraceRange? {
    guard let page = page(first), let count = decimal(pages) else { return nil }
    return TraceRange(process: process, page: page, pages: count)
  }

  static func protection(_ text: String) -> TraceProtection {
    var result: TraceProtection = []
    if text.contains("r") { result.insert(.read) }
    if text.contains("w") { result.insert(.write) }
    if text.contains("x") { result.insert(.execute) }
    return result
  }
}
