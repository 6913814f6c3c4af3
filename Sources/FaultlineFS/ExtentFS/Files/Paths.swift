import Faultline

/// The root directory's inode.
let rootInode: UInt64 = 1

/// Names from the root on, separated by slashes. Several slashes are as good as one.
extension ExtentFileSystem {
  /// The file at a path.
  ///
  /// - Throws: `ENOENT`, `ENOTDIR`, `ENAMETOOLONG`, `EUCLEAN`, `EIO`.
  func find(_ path: String) throws(KernelError) -> ExtentFile {
    try walk(path.split(separator: "/")[...], of: path)
  }

  /// The directory that a path's last name is in, and that name.
  ///
  /// - Throws: as ``find(_:)``, and `EINVAL` for a path without a name.
  func findParent(_ path: String) throws(KernelError) -> (directory: ExtentFile, name: EntryName) {
    let names = path.split(separator: "/")
    guard let last = names.last else { throw KernelError(.EINVAL, "\"\(path)\" names no file") }
    let name = try EntryName(last)
    let directory = try walk(names.dropLast(), of: path)
    _ = try directory.entries("/" + names.dropLast().joined(separator: "/"))
    return (directory, name)
  }

  private func walk(_ names: ArraySlice<Substring>, of path: String) throws(KernelError) -> ExtentFile {
    var file = try load(rootInode)
    for name in names {
      guard let entry = try file.entries(path).entry(try EntryName(name)) else {
        throw KernelError(.ENOENT, "there is no \"\(path)\"")
      }
      file = try load(entry.inode)
      guard file.kind == entry.kind else { throw .damaged("\"\(path)\" is of another kind than its directory says") }
    }
    return file
  }

  // MARK: entries

  /// Puts a name into a directory that does not have it, with a block more when its blocks are full.
  func addEntry(_ entry: DirectoryEntry, to directory: ExtentFile) throws(KernelError) {
    if let block = directory.directory?.blockWithRoom(for: entry) {
      directory.directory?.insert(entry, in: block)
    } else {
      let page = directory.size >> PageSize.shift
      try directory.reserveExtentBlocks(adding: 1)
      let run = try directory.allocate(1, at: page)
      directory.extents.insert(Extent(page: page, count: 1, block: run.lowerBound, isWritten: true))
      directory.setSize(directory.size + PageSize.bytes)
      directory.directory?.addBlock()
      directory.directory?.insert(entry, in: Int(page))
    }
    changes.moreBlocks += 1
    noteChange(directory, dataRelevant: true)
  }

  func removeEntry(_ name: EntryName, from directory: ExtentFile) {
    directory.directory?.remove(name)
    changes.moreBlocks += 1
    noteChange(directory, dataRelevant: true)
  }

  // MARK: the end of an inode

  /// A name of a file is gone. Without any it is deleted, or, while it is open, put on the orphan list.
  func dropLink(_ file: ExtentFile) {
    file.links = file.links > 0 ? file.links - 1 : 0
    noteChange(file, dataRelevant: true)
    guard file.links == 0 else { return }
    if file.opens > 0 { addOrphan(file) } else { delete(file) }
  }

  /// Gives back what a file without names has, and its inode.
  func delete(_ file: ExtentFile) {
    file.isDeleted = true
    file.nextOrphan = 0
    file.giveUp(0..<FileLimit.pages)
    file.setSize(0)
    noteChange(file, dataRelevant: true)
    files[file.inode] = nil
    inodes.putBack(file.inode)
  }

  private func addOrphan(_ file: ExtentFile) {
    file.nextOrphan = orphans.first ?? 0
    orphans.insert(file.inode, at: 0)
    changes.orphanHead = true
  }

  /// Takes an inode off the orphan list. Those on the list are in memory.
  func removeOrphan(_ file: ExtentFile) {
    guard let index = orphans.firstIndex(of: file.inode) else { return }
    orphans.remove(at: index)
    if index == 0 {
      changes.orphanHead = true
    } else if let before = files[orphans[index - 1]] {
      before.nextOrphan = file.nextOrphan
      noteChange(before, dataRelevant: false)
    }
    file.nextOrphan = 0
  }
}
