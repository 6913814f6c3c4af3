import Faultline
import FaultlineFS

/// The promises themselves: what was acknowledged is there, a rename is old or new, nothing shows what was never stored
/// in it.
extension ExpectedStates {
  /// What does not fit any state that a crash may bring back; nothing when all is well.
  ///
  /// - Parameter entries: ``DevicePoint/writableEntry(inode:page:pages:devicePage:synchronous:)``, all until the crash.
  func problems(_ found: FoundTree, entries: ArraySlice<DevicePoint>) -> [String] {
    let problems = isOrdered ? problemsTogether(found) : problemsApart(found)
    return problems + problemsOfEntries(found, entries)
  }

  /// The tree that is missed least.
  private func problemsTogether(_ found: FoundTree) -> [String] {
    var best: [String]?
    for index in (floor..<trees.count).reversed() {
      let problems = problems(found, trees[index])
      if problems.isEmpty { return [] }
      if best.map({ problems.count < $0.count }) ?? true { best = problems }
    }
    return best ?? []
  }

  private func problems(_ found: FoundTree, _ tree: ExpectedTree) -> [String] {
    var problems: [String] = []
    for path in tree.names.keys.sorted() where !found.files.contains(where: { $0.path == path }) {
      problems.append("\(path) is missing")
    }
    for file in found.files {
      guard let key = tree.names[file.path], let expected = tree.files[key] else {
        problems.append("\(file.path) should not be there")
        continue
      }
      problems += expected.problems(file)
    }
    return problems
  }

  /// Each name leads to what it led to in some state, and that file is as it was in some state.
  private func problemsApart(_ found: FoundTree) -> [String] {
    var problems: [String] = []
    let named = trees[nameFloor...]
    for path in Set(named.flatMap(\.names.keys)).sorted() {
      let isSure = named.allSatisfy { $0.names[path] != nil }
      if isSure, !found.files.contains(where: { $0.path == path }) { problems.append("\(path) is missing") }
    }
    problems += problemsOfMoves(found)
    for file in found.files {
      let keys = Set(named.compactMap { $0.names[file.path] }).sorted()
      var best: [String]?
      for key in keys {
        for tree in trees[(floors[key] ?? 0)...] {
          guard let problems = tree.files[key]?.problems(file) else { continue }
          if best.map({ problems.count < $0.count }) ?? true { best = problems }
        }
      }
      problems += best ?? ["\(file.path) should not be there"]
    }
    return problems
  }

  /// A file that changed its name and never had none has the old one or the new one.
  private func problemsOfMoves(_ found: FoundTree) -> [String] {
    let named = trees[nameFloor...]
    return Set(named.flatMap(\.names.values)).sorted().compactMap { key in
      let paths = named.map { tree in tree.names.filter { $0.value == key }.keys.sorted() }
      guard paths.allSatisfy({ !$0.isEmpty }) else { return nil }
      let all = Set(paths.joined()).sorted()
      guard !found.files.contains(where: { all.contains($0.path) }) else { return nil }
      return "\(all.joined(separator: " or ")) is missing"
    }
  }

  /// A page that a synchronous mapping could store to is where it was.
  private func problemsOfEntries(_ found: FoundTree, _ entries: ArraySlice<DevicePoint>) -> [String] {
    var problems: [String] = []
    for (index, entry) in entries.enumerated() {
      guard case .writableEntry(let inode, let page, let pages, let devicePage, true) = entry,
        !forgotten.contains(where: { $0.inode == inode && index < $0.count })
      else { continue }
      let file = found.files.first { $0.inode == inode }
      // Without a log a name is nobody's promise but that of its directory's sync.
      if file == nil, !isOrdered { continue }
      let missing = (0..<pages).first {
        guard let file else { return true }
        return !file.has(page + $0, at: devicePage + $0) || file.size <= (page + $0) << PageSize.shift
      }
      guard let missing else { continue }
      let name = file?.path ?? "a file that is not there"
      problems.append("page \(page + missing) of \(name) could be stored to in a synchronous mapping and is not found")
    }
    return problems
  }
}

extension ExpectedFile {
  /// So many words are told of.
  private static let told = 3

  func problems(_ file: FoundTree.File) -> [String] {
    guard file.size == size else { return ["\(file.path) has \(file.size) bytes; it should have \(size)"] }
    var problems: [String] = []
    for word in file.words {
      guard let values = words[word.offset] else {
        problems.append("\(name(word.offset, file)) holds \(hex(word.value)), which was never stored there")
        continue
      }
      if !values.contains(word.value) {
        problems.append("\(name(word.offset, file)) holds \(hex(word.value)); it should hold \(hex(values))")
      }
    }
    let shown = Set(file.words.map(\.offset))
    for (offset, values) in words where offset < size && !values.contains(0) && !shown.contains(offset) {
      problems.append("\(name(offset, file)) holds 0; it should hold \(hex(values))")
    }
    problems.sort()
    return Array(problems.prefix(Self.told))
  }

  private func name(_ offset: UInt64, _ file: FoundTree.File) -> String { "byte \(offset) of \(file.path)" }

  private func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
  private func hex(_ values: [UInt64]) -> String { values.map(hex).joined(separator: " or ") }
}
