import Faultline

/// The chosen files as the engine knows them during one replay.
struct EngineFiles {
  private var nodes: [Int: FileNode] = [:]
  /// In order of appearance, so that sums and output do not depend on hashing.
  private(set) var ordered: [FileNode] = []

  init(_ chosen: ChosenFiles, machine: Machine, policy: Policy, cache: CacheStart) {
    for file in chosen.files {
      let node = FileNode(machine: machine, traits: .replaying(file, policy, machine.rules), size: file.bytes)
      EngineFiles.fill(node, file, cache)
      nodes[file.id] = node
      ordered.append(node)
    }
  }

  /// The node of a chosen file.
  subscript(id: Int) -> FileNode? { nodes[id] }

  /// Sizes in bytes as they are now, in order of appearance.
  var sizes: [UInt64] { ordered.map(\.size) }

  private static func fill(_ node: FileNode, _ file: TraceFile, _ cache: CacheStart) {
    // No machine of the replay has frames for more, and a damaged trace may claim anything.
    let whole = [TraceRun(page: 0, pages: min(1 << 28, PageSize.pages(covering: file.bytes)))]
    let runs: [TraceRun] =
      switch cache {
      // Memory is the only place such a file has: nothing can be dropped, as on the real machine.
      case _ where node.traits.isMemoryOnly: whole
      case .cold: file.isOwnedOrWritable ? [] : whole
      case .warm: whole
      case .asIs: file.resident ?? whole
      }
    for run in runs where run.page < 1 << 52 { node.makeResident(run.page..<run.page &+ min(run.pages, 1 << 28)) }
  }
}

extension FileTraits {
  /// The traits of a recorded file, with the readahead that the policy sets.
  fileprivate static func replaying(_ file: TraceFile, _ policy: Policy, _ rules: KernelRules) -> FileTraits {
    var traits: FileTraits =
      switch file.fileSystem {
      case "tmpfs", "ramfs", "devtmpfs": .tmpfs
      case "xfs": .xfs
      default: .ext4(rules)
      }
    guard !traits.isMemoryOnly else { return traits }
    switch policy.readahead {
    case .bytes(let bytes): traits.readaheadPages = bytes >> PageSize.shift
    case .device:
      if let kibibytes = file.readAheadKB { traits.readaheadPages = UInt64(clamping: kibibytes) / 4 }
    }
    return traits
  }
}
