import Faultline

/// A file that a scenario made, whatever it is called then: names change, and inodes' numbers are used again.
struct FileKey: Hashable, Comparable, Sendable {
  let number: Int

  static func < (one: FileKey, other: FileKey) -> Bool { one.number < other.number }
}

/// What one file may be found with after a crash.
struct ExpectedFile: Sendable {
  /// Bytes.
  var size: UInt64 = 0
  /// By its offset, every word of 8 bytes that was ever stored: what it may hold, in the order of the stores. Words
  /// that were not are zero.
  var words: [UInt64: [UInt64]] = [:]

  mutating func mayHold(_ value: UInt64, at offset: UInt64) {
    var values = words[offset] ?? [0]
    values.removeAll { $0 == value }
    words[offset] = values + [value]
  }

  /// A value was not stored after all. A word that had no other reads as zero.
  mutating func cannotHold(_ value: UInt64, at offset: UInt64) { words[offset]?.removeAll { $0 == value } }

  /// What the words of a range held at an earlier moment is the oldest that they hold.
  mutating func settle(_ range: Range<UInt64>, as earlier: ExpectedFile) {
    for offset in words.keys where range.contains(offset) {
      guard let values = words[offset], let sure = earlier.words[offset]?.last, let index = values.lastIndex(of: sure)
      else {
        continue
      }
      words[offset] = Array(values[index...])
    }
  }

  /// The words of a range read as zero, and may hold nothing else.
  mutating func clear(_ range: Range<UInt64>) {
    for offset in words.keys where range.contains(offset) { words[offset] = nil }
  }
}

/// All files at one moment.
struct ExpectedTree: Sendable {
  var names: [String: FileKey] = [:]
  var files: [FileKey: ExpectedFile] = [:]
}

/// What a scenario's files may be found as: every state that their metadata went through and that a crash may bring back.
///
/// A change of metadata adds a state; a sync forbids the states before the last change that it makes durable. Stores of data
/// are no states: a word has one of the values that it was given.
struct ExpectedStates: Sendable {
  /// Whether metadata become durable in the order in which they were changed, so that all files are of one state. Without a
  /// log each file and each name is for itself.
  let isOrdered: Bool
  /// Every state since the start.
  private(set) var trees: [ExpectedTree]
  /// The first state that a file may be found in.
  private(set) var floors: [FileKey: Int] = [:]
  private(set) var nameFloor = 0
  /// The state with a file's last change, and with the last that its data cannot be found without.
  private var changed: [FileKey: Int] = [:]
  private var dataChanged: [FileKey: Int] = [:]
  private var namesChanged = 0
  /// Pages, and the first state in which they are what they are now: before, other blocks lay there.
  private var replaced: [FileKey: [(pages: Range<UInt64>, since: Int)]] = [:]
  /// Entries of the page tables that were taken away since.
  private(set) var forgotten: [ForgottenEntries] = []

  struct ForgottenEntries: Sendable {
    let inode: UInt64
    /// Of the entries so far.
    let count: Int
  }

  init(_ tree: ExpectedTree, isOrdered: Bool) {
    self.isOrdered = isOrdered
    trees = [tree]
  }

  var now: ExpectedTree { trees[trees.count - 1] }

  /// The first state that any file may be found in, where all are of one.
  var floor: Int { floors.values.reduce(nameFloor, max) }

  // MARK: changes

  struct Extent: OptionSet {
    let rawValue: Int
    static let names = Extent(rawValue: 1)
    static let data = Extent(rawValue: 2)
  }

  /// From now on a crash may show a new state.
  mutating func change(_ key: FileKey, _ extent: Extent, _ body: (inout ExpectedTree) -> Void) {
    var tree = now
    body(&tree)
    trees.append(tree)
    let index = trees.count - 1
    changed[key] = index
    if extent.contains(.data) { dataChanged[key] = index }
    if extent.contains(.names) { namesChanged = index }
  }

  /// From the newest state on, these pages are others than before.
  mutating func replacePages(_ pages: Range<UInt64>, of key: FileKey) {
    replaced[key, default: []].append((pages, trees.count - 1))
  }

  mutating func forgetEntries(of inode: UInt64, among count: Int) {
    forgotten.append(ForgottenEntries(inode: inode, count: count))
  }

  // MARK: stores

  /// From now on a crash may show this word.
  mutating func mayHold(_ key: FileKey, _ value: UInt64, at offset: UInt64) {
    for index in since(key, offset)..<trees.count { trees[index].files[key]?.mayHold(value, at: offset) }
  }

  mutating func cannotHold(_ key: FileKey, _ value: UInt64, at offset: UInt64) {
    for index in trees.indices { trees[index].files[key]?.cannotHold(value, at: offset) }
  }

  /// The stores to a range that had been made at an earlier moment are durable. The range lies in one page, or is all there
  /// is.
  mutating func settle(_ key: FileKey, _ range: Range<UInt64> = 0..<UInt64.max, as earlier: ExpectedStates) {
    guard let earlier = earlier.now.files[key] else { return }
    let first = range.upperBound == .max ? 0 : since(key, range.lowerBound)
    for index in first..<trees.count { trees[index].files[key]?.settle(range, as: earlier) }
  }

  /// The page that holds a byte can be found after a crash from now on, where it is now. What lies behind the file's end
  /// is nobody's promise.
  mutating func pin(_ key: FileKey, byte offset: UInt64) {
    guard offset < now.files[key]?.size ?? 0 else { return }
    let uncovered = trees.lastIndex { $0.files[key].map { offset >= $0.size } ?? true }
    raise(key, to: max(since(key, offset), uncovered.map { $0 + 1 } ?? 0))
  }

  private func since(_ key: FileKey, _ offset: UInt64) -> Int {
    replaced[key]?.last { $0.pages.contains(offset >> PageSize.shift) }?.since ?? 0
  }

  // MARK: syncs

  /// A file's metadata are durable as they were at an earlier moment, or those that its data cannot be found without.
  mutating func sync(_ key: FileKey, dataOnly: Bool, as earlier: ExpectedStates) {
    raise(key, to: (dataOnly ? earlier.dataChanged : earlier.changed)[key] ?? 0)
  }

  mutating func syncNames() { nameFloor = namesChanged }

  private mutating func raise(_ key: FileKey, to index: Int) { floors[key] = max(floors[key] ?? 0, index) }
}
