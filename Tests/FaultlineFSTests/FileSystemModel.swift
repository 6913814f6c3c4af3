import Faultline

/// Numbers that look random and are the same for the same seed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

/// What a file system should hold, kept as plainly as can be.
struct FileSystemModel {
  /// A file's bytes, or a directory.
  struct Node {
    var isDirectory: Bool
    var bytes: [UInt8] = []
    /// The last transaction that changed the file.
    var changed: UInt64 = 0
    /// The same file under another name.
    var identity = 0
  }

  /// By path. The root is "".
  var nodes: [String: Node] = ["": Node(isDirectory: true)]

  func children(of path: String) -> [String] {
    nodes.keys.filter { $0 != "" && Self.parent($0) == path }.sorted()
  }

  func subtree(of path: String) -> [String] { nodes.keys.filter { $0 == path || $0.hasPrefix(path + "/") }.sorted() }
  var files: [String] { nodes.keys.filter { nodes[$0]?.isDirectory == false }.sorted() }
  var directories: [String] { nodes.keys.filter { nodes[$0]?.isDirectory == true }.sorted() }

  static func parent(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
  }

  /// What rename does, or `nil` where it has to fail.
  func renaming(_ old: String, to new: String) -> FileSystemModel? {
    guard let node = nodes[old], old != "", new != "", nodes[Self.parent(new)]?.isDirectory == true else { return nil }
    if old == new { return self }
    if node.isDirectory, new.hasPrefix(old + "/") { return nil }
    if let target = nodes[new] {
      guard target.isDirectory == node.isDirectory, children(of: new).isEmpty else { return nil }
    }
    var result = self
    for path in subtree(of: old) {
      result.nodes[path] = nil
      result.nodes[new + path.dropFirst(old.count)] = nodes[path]
    }
    return result
  }
}

extension FileSystemModel.Node {
  mutating func resize(_ size: Int) {
    if size < bytes.count { bytes.removeLast(bytes.count - size) } else { grow(to: size) }
  }

  mutating func write(_ data: [UInt8], at offset: Int) {
    grow(to: offset + data.count)
    bytes.replaceSubrange(offset..<offset + data.count, with: data)
  }

  mutating func zero(_ range: Range<Int>, growing: Bool) {
    if growing { grow(to: range.upperBound) }
    let range = range.clamped(to: 0..<bytes.count)
    bytes.replaceSubrange(range, with: repeatElement(0, count: range.count))
  }

  mutating func grow(to size: Int) {
    if size > bytes.count { bytes += repeatElement(0, count: size - bytes.count) }
  }
}
