/// # DAX
///
/// Files whose pages are a device's own memory: mapped where they lie, without a page cache. And synchronous faults,
/// which let a store through only when a crash would find the page where it is (MAP_SYNC).
///
/// Laws
/// 1. The slots of such a file hold ``DAXEntry`` values. A page is worked on under its entry's lock; an entry of 2 MiB
///    locks all of its pages.
/// 2. A block entry owns one reference on its folio, each page-table entry another. Blocks are given away only when
///    nothing else holds one: then nothing maps them and no transfer is under way.
/// 3. An entry never becomes larger. A single page anywhere in 2 MiB makes faults for all of it fall back, until it is
///    removed.
/// 4. Where a synchronous fault found metadata that a crash would lose, nothing is entered before they are durable: the
///    fault's result is `needsDataSync`, the page table is as it was, and ``AddressSpace/finishSyncFault(_:_:_:_:)``
///    commits first and enters then.
/// 5. A writable entry has its slot marked dirty. Writeback makes the entries of all areas read-only before it flushes,
///    and takes the mark away last, so that another sync sees what this one has not finished.
/// 6. Waiters are woken under the key of the entry that they saw; after a change of size or a removal all are woken.
///
/// Lock order: address space, content lock (shared by faults, exclusive for what takes blocks away), the file system's
/// handle, a DAX entry, the slot lock or a table's lock, a queue of waiters. A commit is never waited for inside a
/// handle, nor with an entry locked.
///
/// This folder calls `Cache/`, `Tables/`, `Memory/` and, for what maps a file, `Space/`. Files and devices meet it in
/// ``DAXFile`` and ``DAXDevice``. Source: `fs/dax.c` of kernels 6.1, 6.12 and 6.18.

/// What a file with DAX lies on.
final class DirectBacking: Sendable {
  let file: any DAXFile
  let pages: DevicePageMap
  /// Entries that are marked dirty.
  let dirtyEntries = AtomicWord(0)

  init(file: any DAXFile, pages: DevicePageMap) {
    self.file = file
    self.pages = pages
  }
}

/// A file with DAX, as this folder sees it: its slots and what they stand for.
struct DirectFile {
  let node: FileNode
  let backing: DirectBacking

  var file: any DAXFile { backing.file }
  var device: any DAXDevice { backing.pages.device }
  var cache: PageCachePointer { node.cache }
  var slots: XArray { node.slots }
  var machine: Machine { node.machine }
  var memory: PhysicalMemory { node.memory }
  var rules: KernelRules.DirectRules { node.machine.rules.direct }
}

extension FileNode {
  /// A file whose pages are mapped where they lie on its device.
  ///
  /// - Throws: `ENOSPC` when the machine cannot number the device's pages.
  public convenience init(machine: Machine, traits: FileTraits, file: any DAXFile) throws(KernelError) {
    let backing = DirectBacking(file: file, pages: try machine.pages(of: file.device))
    self.init(machine, traits, nil, size: file.size, direct: backing, device: nil)
  }

  /// The file as one with DAX; `nil` for others.
  var dax: DirectFile? { direct.map { DirectFile(node: self, backing: $0) } }

  /// Whether its pages are a device's own: it is a file with DAX, or a device as a whole. Kernel: `S_DAX`.
  public var isDirect: Bool { direct != nil || device != nil }
}

extension DirectFile {
  // MARK: Slots

  /// Looks at the slots, or changes them, under their lock.
  func withSlots<Value>(_ body: (XArray) -> Value) -> Value {
    cache.pointee.slotLock.withLock { body(slots) }
  }

  /// Marks an entry dirty. The caller holds the slot lock.
  func markDirty(_ index: UInt64) {
    guard !slots.isMarked(index, .dirty) else { return }
    slots.setMark(.dirty, at: index, to: true)
    backing.dirtyEntries.wrappingAdd(1, ordering: .relaxed)
  }

  /// Takes the mark away. The caller holds the slot lock.
  func clearDirty(_ index: UInt64) {
    guard slots.isMarked(index, .dirty) else { return }
    slots.setMark(.dirty, at: index, to: false)
    backing.dirtyEntries.wrappingSubtract(1, ordering: .relaxed)
  }

  /// Takes an entry out of its slots and gives up its folio. The caller holds the slot lock, and nothing maps the
  /// entry. Kernel: `dax_disassociate_entry`, `xas_store` of nothing.
  func remove(_ entry: DAXEntry, at index: UInt64) {
    clearDirty(index)
    slots.erase(index)
    cache.pointee.pageCount.wrappingSubtract(entry.size.pageCount, ordering: .relaxed)
    if entry.isBlock { backing.pages.release(Folio(of: memory.frame(entry.frame)), to: memory) }
  }

  /// Nobody has the file any more: its entries go, its blocks stay the file system's.
  func dropAllEntries() {
    withSlots { slots in
      var next: UInt64 = 0
      while let (index, word) = slots.first(from: next, through: .max - 1) {
        let entry = DAXEntry(rawValue: word)
        remove(entry, at: index)
        next = entry.pages(around: index).upperBound
      }
    }
  }
}
