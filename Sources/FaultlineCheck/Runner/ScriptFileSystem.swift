import Faultline
import FaultlineFS

/// The file systems of the recordings, by the names that their files carry.
public enum ScriptFileSystem: String, Sendable, CaseIterable {
  /// tmpfs with `huge=never`.
  case tmpfs
  /// tmpfs with `huge=always`.
  case tmpfsHuge = "tmpfsh"
  /// ext4 with `data=journal`, which keeps to single pages.
  case ext4Journal = "ext4j"
  case ext4
  case xfs
  case ext4DAX = "ext4dax"
  case xfsDAX = "xfsdax"

  /// What the engine knows of this file system under these rules.
  func traits(_ rules: KernelRules) -> FileTraits {
    switch self {
    case .tmpfs: .tmpfs
    case .ext4Journal: .ext4Journal
    case .tmpfsHuge: .tmpfsHuge
    case .ext4: .ext4(rules)
    case .xfs: .xfs
    case .ext4DAX: .ext4Direct
    case .xfsDAX: .xfsDirect
    }
  }

  /// How metadata become durable, where files lie on a device; `nil` for the others.
  var metadataMode: MetadataMode? {
    switch self {
    case .ext4DAX: .orderedJournal
    case .xfsDAX: .pinnedLog
    default: nil
    }
  }

  /// Whether files are mapped where they lie on a device.
  public var isDirect: Bool { metadataMode != nil }

  /// Fields of recordings on this file system that no comparison looks at; see ``RecordingComparison``.
  public var unsteadyFields: Set<String> { isDirect ? RecordingComparison.unsteadyWithDAX : [] }

  /// `statfs` `f_type`.
  var magic: String {
    switch self {
    case .tmpfs, .tmpfsHuge: "0x1021994"
    case .ext4Journal, .ext4, .ext4DAX: "0xef53"
    case .xfs, .xfsDAX: "0x58465342"
    }
  }
}
