/// One file mapping of a traced program, in pages.
struct FileMapping: Equatable {
  var pages: Range<UInt64>
  /// Index into ``MappedFiles``.
  var file: Int
  var filePage: UInt64
  var protection: TraceProtection
  /// As the program asked for it.
  var isShared: Bool
  var isText: Bool
  /// See ``TraceMapping/openFile``.
  var openFile: Int?
  /// Touches in it are faults of their own: it is registered with the kernel.
  var isWatched = false

  /// The part of this mapping inside `range`, which must overlap it.
  func clamped(to range: Range<UInt64>) -> FileMapping {
    var part = self
    part.pages = pages.clamped(to: range)
    part.filePage += part.pages.lowerBound - pages.lowerBound
    return part
  }
}

/// The file mappings of one process, ordered by address; they never overlap.
struct FileMappings {
  private(set) var all: [FileMapping] = []
  private var hint = 0

  /// The mapping that holds a page. Remembers where it was found: faults cluster.
  mutating func find(_ page: UInt64) -> FileMapping? {
    if hint < all.count, all[hint].pages.contains(page) { return all[hint] }
    let index = firstIndex(endingAfter: page)
    guard index < all.count, all[index].pages.contains(page) else { return nil }
    hint = index
    return all[index]
  }

  func overlapping(_ range: Range<UInt64>) -> [FileMapping] {
    var found: [FileMapping] = []
    var index = firstIndex(endingAfter: range.lowerBound)
    while index < all.count, all[index].pages.lowerBound < range.upperBound {
      found.append(all[index].clamped(to: range))
      index += 1
    }
    return found
  }

  func overlaps(_ range: Range<UInt64>) -> Bool {
    let index = firstIndex(endingAfter: range.lowerBound)
    return index < all.count && all[index].pages.lowerBound < range.upperBound
  }

  /// Replaces whatever is in the range of the mapping.
  mutating func insert(_ mapping: FileMapping) {
    remove(mapping.pages)
    all.insert(mapping, at: firstIndex(endingAfter: mapping.pages.lowerBound))
  }

  /// Takes the range out, cutting mappings that reach over its ends.
  mutating func remove(_ range: Range<UInt64>) {
    replace(range) { _ in nil }
  }

  mutating func protect(_ range: Range<UInt64>, _ protection: TraceProtection) {
    replace(range) { mapping in
      var changed = mapping
      changed.protection = protection
      return changed
    }
  }

  mutating func setWatched(_ range: Range<UInt64>) {
    replace(range) { mapping in
      var changed = mapping
      changed.isWatched = true
      return changed
    }
  }

  /// What a forked child begins with: the same mappings, none of them registered.
  func copiedForChild() -> FileMappings {
    var copy = self
    for index in copy.all.indices { copy.all[index].isWatched = false }
    return copy
  }

  private mutating func replace(_ range: Range<UInt64>, _ change: (FileMapping) -> FileMapping?) {
    let first = firstIndex(endingAfter: range.lowerBound)
    var end = first
    var parts: [FileMapping] = []
    while end < all.count, all[end].pages.lowerBound < range.upperBound {
      let mapping = all[end]
      if mapping.pages.lowerBound < range.lowerBound {
        parts.append(mapping.clamped(to: mapping.pages.lowerBound..<range.lowerBound))
      }
      if let changed = change(mapping.clamped(to: range)) { parts.append(changed) }
      if mapping.pages.upperBound > range.upperBound {
        parts.append(mapping.clamped(to: range.upperBound..<mapping.pages.upperBound))
      }
      end += 1
    }
    if first < end { all.replaceSubrange(first..<end, with: parts) }
  }

  private func firstIndex(endingAfter page: UInt64) -> Int {
    var low = 0
    var high = all.count
    while low < high {
      let middle = (low + high) / 2
      if all[middle].pages.upperBound > page { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
