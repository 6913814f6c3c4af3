import Faultline

extension ExtentFileSystem {
  /// Makes names, links, orphans and bitmap agree with what the inodes themselves say. fsck(8) with -p.
  ///
  /// * Blocks are whose inode says so, and otherwise free.
  /// * A name that leads nowhere goes. Of two names of one inode the one stays whose directory the inode names.
  /// * An inode in use without a name goes: it was never durable under one, or lost the last one.
  ///
  /// Everything a crash can leave without a log is mended by that. What is damaged otherwise is left as it is.
  ///
  /// - Throws: `EUCLEAN` for damage, of which nothing was changed on the device; `EIO`.
  func repair() throws(KernelError) {
    allocator = BlockAllocator(geometry)
    changes.orphanHead = true
    orphans = []
    try loadAll()
    for number in files.keys.sorted() {
      if let file = files[number] { try takeBlocks(of: file) }
    }
    removeNames()
    let names = walkNames().names
    for number in files.keys.sorted() {
      guard let file = files[number] else { continue }
      if number == rootInode {
        correct(file, parent: rootInode)
      } else if let name = names[number]?.first {
        correct(file, parent: file.isDirectory ? name.directory.inode : file.parent)
      } else {
        delete(file)
      }
    }
  }

  private func loadAll() throws(KernelError) {
    for number in 1...geometry.inodeCount {
      guard let record = inodes.record(number) else { throw .damaged("inode \(number) is damaged") }
      guard record.kind != .free else { continue }
      let file = try load(number)
      if let damage = file.directoryDamage { throw damage }
    }
    guard files[rootInode]?.isDirectory ?? false else { throw .damaged("the root is no directory") }
  }

  private func takeBlocks(of file: ExtentFile) throws(KernelError) {
    for blocks in file.extents.items.map(\.blocks) + file.extentBlocks.map({ $0..<$0 + 1 }) {
      guard !blocks.contains(where: { allocator.isUsed($0) }) else {
        throw .damaged("a block of inode \(file.inode) is somebody else's too")
      }
      allocator.take(blocks)
    }
  }

  private struct FoundName {
    let directory: ExtentFile
    let name: EntryName
  }

  /// Every name that can be reached, and those that lead nowhere.
  private func walkNames() -> (names: [UInt64: [FoundName]], dangling: [FoundName]) {
    var names: [UInt64: [FoundName]] = [:]
    var dangling: [FoundName] = []
    var queue = [files[rootInode]].compactMap { $0 }
    var next = 0
    while next < queue.count {
      let directory = queue[next]
      next += 1
      for entry in directory.directory?.entries ?? [] {
        let found = FoundName(directory: directory, name: entry.name)
        guard entry.inode != rootInode, let target = files[entry.inode], target.kind == entry.kind else {
          dangling.append(found)
          continue
        }
        if target.isDirectory, names[entry.inode] == nil { queue.append(target) }
        names[entry.inode, default: []].append(found)
      }
    }
    return (names, dangling)
  }

  private func removeNames() {
    let (names, dangling) = walkNames()
    for name in dangling { removeEntry(name.name, from: name.directory) }
    for number in names.keys.sorted() {
      guard let found = names[number], found.count > 1 else { continue }
      let kept = found.firstIndex { $0.directory.inode == files[number]?.parent } ?? 0
      for (index, name) in found.enumerated() where index != kept { removeEntry(name.name, from: name.directory) }
    }
  }

  private func correct(_ file: ExtentFile, parent: UInt64) {
    guard file.links != 1 || file.nextOrphan != 0 || file.parent != parent else { return }
    file.links = 1
    file.nextOrphan = 0
    file.parent = parent
    noteChange(file, dataRelevant: true)
  }
}
