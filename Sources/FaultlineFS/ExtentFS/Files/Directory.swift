import Faultline

/// A directory's entries, as they lie in its blocks.
struct Directory {
  private var blocks: [[DirectoryEntry]] = []
  private var used: [Int] = []
  private var isChanged: [Bool] = []
  /// Which block holds a name.
  private var index: [EntryName: Int] = [:]

  init() {}

  /// - Throws: `EUCLEAN`, `EIO`.
  init(reading inode: InodeImage, reader: BlockReader, geometry: Geometry) throws(KernelError) {
    var page: UInt64 = 0
    for extent in inode.extents.items {
      guard extent.page == page, extent.isWritten else {
        throw .damaged("directory \(inode.record.number) has a hole")
      }
      for block in extent.blocks {
        let entries = try DirectoryBlock.decode(
          reader.read(block), at: block, owner: inode.record.number, geometry: geometry)
        try append(entries, owner: inode.record.number)
      }
      page = extent.end
    }
    guard page << PageSize.shift == inode.record.size else {
      throw .damaged("directory \(inode.record.number)'s size is not that of its blocks")
    }
  }

  private mutating func append(_ entries: [DirectoryEntry], owner: UInt64) throws(KernelError) {
    for entry in entries {
      guard index.updateValue(blocks.count, forKey: entry.name) == nil else {
        throw .damaged("directory \(owner) has one name twice")
      }
    }
    used.append(entries.reduce(0) { $0 + $1.byteCount })
    blocks.append(entries)
    isChanged.append(false)
  }

  var hasChanges: Bool { isChanged.contains(true) }
  /// Pages whose entries have changed since they were frozen.
  var changedPages: [UInt64] { isChanged.indices.filter { isChanged[$0] }.map { UInt64($0) } }
  var isEmpty: Bool { index.isEmpty }
  /// All entries, by name.
  var entries: [DirectoryEntry] { blocks.joined().sorted { $0.name < $1.name } }

  func entry(_ name: EntryName) -> DirectoryEntry? {
    index[name].flatMap { block in blocks[block].first { $0.name == name } }
  }

  /// The first block with room for an entry, or `nil` when all are full.
  func blockWithRoom(for entry: DirectoryEntry) -> Int? {
    used.firstIndex { $0 + entry.byteCount <= DirectoryBlock.capacity }
  }

  mutating func addBlock() {
    blocks.append([])
    used.append(0)
    isChanged.append(true)
  }

  mutating func insert(_ entry: DirectoryEntry, in block: Int) {
    blocks[block].append(entry)
    used[block] += entry.byteCount
    index[entry.name] = block
    isChanged[block] = true
  }

  mutating func remove(_ name: EntryName) {
    guard let block = index.removeValue(forKey: name), let at = blocks[block].firstIndex(where: { $0.name == name })
    else {
      return
    }
    used[block] -= blocks[block][at].byteCount
    blocks[block].remove(at: at)
    isChanged[block] = true
  }

  /// Lets a name lead to another inode.
  mutating func replace(_ name: EntryName, inode: UInt64, kind: InodeRecord.Kind) {
    guard let block = index[name], let at = blocks[block].firstIndex(where: { $0.name == name }) else { return }
    blocks[block][at].inode = inode
    blocks[block][at].kind = kind
    isChanged[block] = true
  }

  mutating func freeze(into frozen: inout [FrozenBlock], extents: ExtentList, transaction: UInt64, owner: UInt64) {
    for page in isChanged.indices where isChanged[page] {
      guard case .extent(let index) = extents.place(UInt64(page)) else { continue }
      let extent = extents.items[index]
      frozen.append(
        DirectoryBlock.encode(
          blocks[page], at: extent.block + (UInt64(page) - extent.page), transaction: transaction, owner: owner))
      isChanged[page] = false
    }
  }
}
