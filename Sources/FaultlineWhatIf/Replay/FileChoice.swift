import Glibc

/// Which mapped files a what-if is about.
public struct FileChoice: Sendable, Equatable {
  /// Shell patterns over the whole path, `*` crossing directories; empty takes all.
  public var patterns: [String]
  /// Whether programs and libraries are taken too.
  public var includesText: Bool

  public init(patterns: [String] = [], includesText: Bool = false) {
    self.patterns = patterns
    self.includesText = includesText
  }

  /// Whether a file is chosen.
  ///
  /// A pattern without a slash is compared with the last part of the path.
  /// - Parameter isText: the file is a program or a library. A file that a pattern names is taken all the same.
  public func contains(path: String, isText: Bool) -> Bool {
    if patterns.isEmpty { return includesText || !isText }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return patterns.contains { fnmatch($0, $0.contains("/") ? path : name, 0) == 0 }
  }
}
