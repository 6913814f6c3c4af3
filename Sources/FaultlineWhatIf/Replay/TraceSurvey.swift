import Faultline

/// What a trace is about, from one pass over its records.
public struct TraceSurvey: Sendable {
  /// The recorded command.
  public private(set) var command: [String] = []
  public private(set) var environment: TraceEnvironment?
  /// Every mapped file, in order of appearance.
  public private(set) var files: [TraceFile] = []
  /// Faults that the kernel dropped.
  public private(set) var lost = 0
  /// How the program ended; nil when the trace is cut.
  public private(set) var end: TraceEnd?
  /// The program called `madvise` with MADV_NORMAL, RANDOM or SEQUENTIAL on some file mapping.
  public private(set) var hasOwnAdvice = false
  private var textFiles: Set<Int> = []

  public init(_ trace: Trace) {
    var known: Set<Int> = []
    var cursor = trace.makeCursor()
    while !cursor.isAtEnd {
      while cursor.nextTouch() != nil {}
      guard let record = cursor.nextRecord() else { continue }
      switch record.event {
      case .commandLine(let arguments): command = arguments
      case .environment(let found): environment = found
      case .file(let file): if known.insert(file.id).inserted { files.append(file) }
      case .map(let mapping): if mapping.isText { textFiles.insert(mapping.file) }
      case .advise(_, let advice): if (0...2).contains(advice) { hasOwnAdvice = true }
      case .lost(let count): lost &+= count
      case .end(let found): end = found
      default: break
      }
    }
  }

  /// Whether the file is a program or a library.
  public func isText(_ file: TraceFile) -> Bool { textFiles.contains(file.id) }

  /// The rules of the recording kernel, or of the newest known one that is not newer.
  public var kernelRules: KernelRules { KernelRules.nearest(toRelease: environment?.kernelRelease ?? "") }
}

/// The files that a what-if is about.
public struct ChosenFiles: Sendable {
  /// In order of appearance; never empty.
  public let files: [TraceFile]
  private let ids: Set<Int>

  /// - Throws: ``WhatIfError/nothingChosen(program:patterns:otherFiles:)`` when the program mapped no such file.
  public init(_ survey: TraceSurvey, by choice: FileChoice) throws(WhatIfError) {
    files = survey.files.filter { choice.contains(path: $0.path, isText: survey.isText($0)) }
    ids = Set(files.map(\.id))
    if files.isEmpty {
      throw .nothingChosen(
        program: survey.command.first ?? "the program", patterns: choice.patterns, otherFiles: survey.files.count)
    }
  }

  public func contains(file id: Int) -> Bool { ids.contains(id) }

  /// The readahead of the device below all of them, in bytes; nil when devices differ or have none.
  public var deviceReadaheadBytes: UInt64? {
    guard let first = files[0].readAheadKB, files.allSatisfy({ $0.readAheadKB == first }) else { return nil }
    return UInt64(clamping: first) &* 1024
  }

  /// Those whose residency the kernel tells to nobody but their owner.
  public var foreign: [TraceFile] { files.filter { !$0.isOwnedOrWritable } }
}

extension KernelRules {
  /// The newest rules that are not newer than `release` (as `uname -r` writes it), or the oldest.
  public static func nearest(toRelease release: String) -> KernelRules {
    let numbers = release.split { !$0.isNumber }.prefix(2).map { UInt32($0) ?? 0 }
    let version = numbers.count == 2 ? (numbers[0], numbers[1]) : (UInt32.max, 0)
    return all.last { rules in
      let own = rules.name.split(separator: ".").map { UInt32($0) ?? 0 }
      return own.count == 2 && (own[0], own[1]) <= version
    } ?? all[0]
  }
}
