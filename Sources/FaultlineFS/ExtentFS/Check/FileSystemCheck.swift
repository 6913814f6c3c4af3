import Faultline

/// Looks at everything on a device that is not mounted, as the next mount's recovery will leave it, and changes nothing. fsck(8)
/// with -n.
///
/// It reads with the same checked readers as a mount does: what they refuse is a finding, and the walk goes on beside it.
public struct FileSystemCheck {
  /// What is wrong, in the order in which it was found: the same device gives the same list.
  public private(set) var findings: [Finding] = []

  private let image: MountedImage
  private var owned: [Bool]
  /// Inodes in use that can be read, by number.
  private var inodes: [InodeImage?]
  private var names: [UInt64]

  /// The findings for a device; none for a sound file system.
  public static func run(_ device: any DAXDevice) -> [Finding] {
    do throws(KernelError) {
      var check = FileSystemCheck(try MountedImage(device))
      try check.walk()
      return check.findings
    } catch {
      return [.notMountable(error.message)]
    }
  }

  private init(_ image: MountedImage) {
    self.image = image
    owned = Array(repeating: false, count: Int(image.geometry.blockCount))
    inodes = Array(repeating: nil, count: Int(image.geometry.inodeCount) + 1)
    names = Array(repeating: 0, count: inodes.count)
  }

  private mutating func walk() throws(KernelError) {
    if let damage = image.damage { findings.append(.damagedStructure(damage.message)) }
    checkSuperblockCopy()
    for number in 1..<UInt64(inodes.count) { readInode(number) }
    if inodes[Int(rootInode)]?.record.kind != .directory { findings.append(.notMountable("the root is no directory")) }
    for number in 1..<UInt64(inodes.count) { readDirectory(number) }
    // What a crash leaves without a log is nothing wrong: the next mount mends it.
    if image.needsRepair { return findings.removeAll { $0.isMendedAfterCrash } }
    for number in 1..<UInt64(inodes.count) { checkLinks(number) }
    checkReachable()
    checkBitmap()
  }

  private mutating func checkSuperblockCopy() {
    let number = image.geometry.superblockCopy
    guard let bytes = try? image.reader.read(number),
      let copy = try? Superblock.decode(bytes, at: number, devicePages: image.reader.device.pageCount),
      copy == image.geometry
    else { return findings.append(.damagedStructure("the copy of the superblock is damaged")) }
  }

  private mutating func readInode(_ number: UInt64) {
    guard let record = image.inodes.record(number) else {
      return findings.append(.damagedInode(number, "its record is damaged"))
    }
    guard record.kind != .free else { return }
    do throws(KernelError) {
      let inode = try InodeImage(
        record, inline: image.inodes.inlineExtents(number), reader: image.reader, geometry: image.geometry)
      inodes[Int(number)] = inode
      for block in inode.extentBlocks { own(block, number) }
      for extent in inode.extents.items {
        for block in extent.blocks { own(block, number) }
      }
      if let last = inode.extents.items.last(where: \.isWritten), last.end > PageSize.pages(covering: record.size) {
        findings.append(.blocksBehindEnd(number))
      }
    } catch {
      findings.append(.damagedInode(number, error.message))
    }
  }

  private mutating func own(_ block: UInt64, _ inode: UInt64) {
    if owned[Int(block)] { findings.append(.sharedBlock(block, inode: inode)) }
    owned[Int(block)] = true
  }

  private mutating func readDirectory(_ number: UInt64) {
    guard let inode = inodes[Int(number)], inode.record.kind == .directory else { return }
    do throws(KernelError) {
      let directory = try Directory(reading: inode, reader: image.reader, geometry: image.geometry)
      for entry in directory.entries { check(entry, of: number) }
    } catch {
      findings.append(.damagedInode(number, error.message))
    }
  }

  private mutating func check(_ entry: DirectoryEntry, of directory: UInt64) {
    guard let target = inodes[Int(entry.inode)] else {
      return findings.append(
        .danglingEntry(directory: directory, name: entry.name.description, inode: entry.inode))
    }
    names[Int(entry.inode)] += 1
    guard target.record.kind == entry.kind else {
      return findings.append(.wrongEntryKind(directory: directory, name: entry.name.description))
    }
    guard entry.kind == .directory else { return }
    if names[Int(entry.inode)] > 1 || entry.inode == rootInode { findings.append(.directoryWithTwoNames(entry.inode)) }
    if target.record.parent != directory { findings.append(.wrongParent(entry.inode)) }
  }

  private mutating func checkLinks(_ number: UInt64) {
    guard let inode = inodes[Int(number)], number != rootInode else { return }
    let (names, links) = (names[Int(number)], UInt64(inode.record.links))
    if names == 0, !image.orphans.contains(number) {
      findings.append(.unreachableInode(number))
    } else if names != links {
      findings.append(.wrongLinks(number, names: names, links: links))
    }
  }

  /// Directories that have each other for parents have names and cannot be reached.
  private mutating func checkReachable() {
    for number in 1..<UInt64(inodes.count) where names[Int(number)] > 0 {
      var at = number
      var steps = 0
      while at != rootInode, let inode = inodes[Int(at)], inode.record.kind == .directory, steps < inodes.count {
        guard inode.record.parent < UInt64(inodes.count) else { break }
        at = inode.record.parent
        steps += 1
      }
      if steps == inodes.count { findings.append(.unreachableInode(number)) }
    }
  }

  private mutating func checkBitmap() {
    let data = image.geometry.data
    var block = data.lowerBound
    while block < data.upperBound {
      let (isOwned, isUsed) = (owned[Int(block)], image.allocator.isUsed(block))
      var end = block + 1
      while end < data.upperBound, owned[Int(end)] == isOwned, image.allocator.isUsed(end) == isUsed { end += 1 }
      if isOwned, !isUsed { findings.append(.usedBlocksMarkedFree(block..<end)) }
      if !isOwned, isUsed { findings.append(.freeBlocksMarkedUsed(block..<end)) }
      block = end
    }
  }
}
