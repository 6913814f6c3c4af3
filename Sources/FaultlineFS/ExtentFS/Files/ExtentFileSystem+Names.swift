import Faultline

/// What a program does by names. Paths begin at the root; a leading slash changes nothing. A name has 1 to 255 bytes.
///
/// Each of these is one transaction's: after a crash it has happened or not. It is durable after an ``ExtentFileSystem/sync()`` or an
/// fsync of the file or of its directory; without a log, of both.
extension ExtentFileSystem {
  /// Makes an empty file and opens it. open(2) with O_CREAT and O_EXCL.
  ///
  /// - Throws: `EEXIST`, `ENOENT`, `ENOTDIR`, `ENOSPC`, `ENAMETOOLONG`, `EINVAL`, `EROFS`, `EIO`, `EUCLEAN`.
  public func create(_ path: String) throws(KernelError) -> ExtentFile {
    try change { () throws(KernelError) in
      let file = try make(path, kind: .file)
      file.opens += 1
      return file
    }
  }

  /// Makes an empty directory. mkdir(2).
  ///
  /// - Throws: as ``create(_:)``.
  public func makeDirectory(_ path: String) throws(KernelError) {
    try change { () throws(KernelError) in _ = try make(path, kind: .directory) }
  }

  private func make(_ path: String, kind: InodeRecord.Kind) throws(KernelError) -> ExtentFile {
    let (parent, name) = try findParent(path)
    guard parent.directory?.entry(name) == nil else { throw KernelError(.EEXIST, "\"\(path)\" exists") }
    guard let number = inodes.take() else {
      throw KernelError(.ENOSPC, "all \(geometry.inodeCount) inodes are in use")
    }
    let version = changes.files[number]?.version ?? inodes.record(number)?.version ?? 0
    let file = ExtentFile(new: number, kind: kind, parent: parent.inode, version: version, of: self)
    do { try addEntry(DirectoryEntry(name: name, inode: number, kind: kind), to: parent) } catch {
      inodes.putBack(number)
      throw error
    }
    files[number] = file
    noteChange(file, dataRelevant: true)
    return file
  }

  /// Opens a file or a directory. Every open wants an ``ExtentFile/close()``. open(2).
  ///
  /// - Throws: `ENOENT`, `ENOTDIR`, `ENAMETOOLONG`, `EIO`, `EUCLEAN`.
  public func open(_ path: String) throws(KernelError) -> ExtentFile {
    try look { () throws(KernelError) in
      let file = try find(path)
      file.opens += 1
      return file
    }
  }

  /// Takes a file's name away. Its blocks go when it is closed everywhere. unlink(2).
  ///
  /// - Throws: `EISDIR`, and as ``open(_:)``, and `EROFS`.
  public func unlink(_ path: String) throws(KernelError) {
    try change { () throws(KernelError) in
      let (parent, name) = try findParent(path)
      let file = try find(path)
      guard !file.isDirectory else { throw KernelError(.EISDIR, "\"\(path)\" is a directory") }
      removeEntry(name, from: parent)
      dropLink(file)
    }
  }

  /// Takes an empty directory away. rmdir(2).
  ///
  /// - Throws: `ENOTDIR`, `ENOTEMPTY`, `EINVAL` for the root, and as ``unlink(_:)``.
  public func removeDirectory(_ path: String) throws(KernelError) {
    try change { () throws(KernelError) in
      let (parent, name) = try findParent(path)
      let directory = try find(path)
      try checkIsEmptyDirectory(directory, path)
      removeEntry(name, from: parent)
      dropLink(directory)
    }
  }

  private func checkIsEmptyDirectory(_ file: ExtentFile, _ path: String) throws(KernelError) {
    guard try file.entries(path).isEmpty else { throw KernelError(.ENOTEMPTY, "\"\(path)\" has files in it") }
  }

  /// Lets what is at one path be at another, in place of what is there. rename(2).
  ///
  /// - Throws: `ENOENT`, `ENOTDIR`, `EISDIR` and `ENOTEMPTY` when what is replaced does not fit, `EINVAL` for a directory into itself,
  ///   `ENOSPC`, `ENAMETOOLONG`, `EROFS`, `EIO`, `EUCLEAN`.
  public func rename(_ old: String, to new: String) throws(KernelError) {
    try change { () throws(KernelError) in
      let (oldParent, oldName) = try findParent(old)
      let file = try find(old)
      let (newParent, newName) = try findParent(new)
      if file.isDirectory { try checkIsNotBelow(file, newParent, new) }
      let entry = DirectoryEntry(name: newName, inode: file.inode, kind: file.kind)
      if let present = newParent.directory?.entry(newName) {
        let target = try load(present.inode)
        guard target !== file else { return }
        if file.isDirectory {
          try checkIsEmptyDirectory(target, new)
        } else if target.isDirectory {
          throw KernelError(.EISDIR, "\"\(new)\" is a directory")
        }
        newParent.directory?.replace(newName, inode: file.inode, kind: file.kind)
        changes.moreBlocks += 1
        noteChange(newParent, dataRelevant: true)
        dropLink(target)
      } else {
        try addEntry(entry, to: newParent)
      }
      removeEntry(oldName, from: oldParent)
      file.parent = newParent.inode
      noteChange(file, dataRelevant: false)
    }
  }

  /// - Throws: `EINVAL` when `directory` is `ancestor` or lies below it.
  private func checkIsNotBelow(_ ancestor: ExtentFile, _ directory: ExtentFile, _ path: String) throws(KernelError) {
    var at = directory
    // A damaged file system may have a circle of parents.
    for _ in 0...geometry.inodeCount {
      guard at !== ancestor else { throw KernelError(.EINVAL, "\"\(path)\" lies in what is to be moved") }
      guard at.inode != rootInode else { return }
      at = try load(at.parent)
    }
    throw .damaged("the directories above \"\(path)\" go round in a circle")
  }

  /// What a directory says about one name. readdir(3).
  public struct ListedEntry: Hashable, Sendable {
    public let name: String
    /// Of a damaged inode only number and kind are known.
    public let status: FileStatus
    /// Why the inode cannot be read, or `nil`.
    public let damage: String?
  }

  /// A directory's entries, by the bytes of their names.
  ///
  /// - Throws: `ENOTDIR`, and as ``open(_:)``.
  public func list(_ path: String) throws(KernelError) -> [ListedEntry] {
    try look { () throws(KernelError) in
      try find(path).entries(path).entries.map { listed($0) }
    }
  }

  private func listed(_ entry: DirectoryEntry) -> ListedEntry {
    let name = entry.name.description
    do throws(KernelError) {
      let file = try load(entry.inode)
      return ListedEntry(name: name, status: file.statusLocked, damage: file.directoryDamage?.message)
    } catch {
      let known = FileStatus(
        inode: entry.inode, isDirectory: entry.kind == .directory, size: 0, blocks: 0, links: 0)
      return ListedEntry(name: name, status: known, damage: error.message)
    }
  }

  /// What is known of the file at a path. stat(2).
  ///
  /// - Throws: as ``open(_:)``.
  public func status(_ path: String) throws(KernelError) -> FileStatus {
    try look { () throws(KernelError) in try find(path).statusLocked }
  }
}

extension ExtentFile {
  /// Ends one use of the file; the last one of a file without a name deletes it, and of another gives back the blocks that were
  /// prepared for stores that never came. Nothing of it is mapped any more then. close(2).
  public func close() {
    fs.monitor.lock()
    defer { fs.monitor.unlock() }
    guard opens > 0 else { return }
    opens -= 1
    guard opens == 0, links == 0 || !prepared.isEmpty, !isDeleted, fs.isMounted else { return }
    // Where nothing can be changed any more the next mount deletes it.
    guard (try? fs.beginLocked()) != nil else { return }
    defer { fs.log.end() }
    guard links == 0 else { return giveBackPrepared() }
    fs.removeOrphan(self)
    fs.delete(self)
  }
}
