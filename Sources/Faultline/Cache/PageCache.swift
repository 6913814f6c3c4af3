/// The folios of one file, by page index. Kernel: `struct address_space`.
///
/// Lies in raw memory that its ``FileNode`` owns, so that a fault reaches it without counting references to objects.
struct PageCache: ~Copyable {
  /// The topmost entry of the slots.
  let slots: AtomicWord
  /// Guards the slots. Kernel: `i_pages` lock.
  let slotLock: SpinLock
  /// The file's size in bytes. Kernel: `i_size`.
  let size: AtomicWord
  /// Pages in the cache. Kernel: `nrpages`.
  let pageCount: AtomicWord
  /// Held shared while pages are made, exclusively while they are taken away for good. Kernel: `invalidate_lock`.
  let contentLock: ReadWriteLock
  /// Whether the slots hold DAX entries instead of folios. Kernel: `dax_mapping`.
  let isDirect: Bool
  /// The file's object; it outlives this.
  let node: Unmanaged<FileNode>
  /// The same for those who come from a folio and hold nothing else; `nil` once the file has begun to end. Kernel: `igrab`.
  private(set) weak var heldNode: FileNode?

  init(node: FileNode, size: UInt64, isDirect: Bool) {
    slots = AtomicWord(0)
    slotLock = SpinLock()
    self.size = AtomicWord(size)
    pageCount = AtomicWord(0)
    contentLock = ReadWriteLock()
    self.isDirect = isDirect
    self.node = Unmanaged.passUnretained(node)
    heldNode = node
  }
}

typealias PageCachePointer = UnsafeMutablePointer<PageCache>

extension PageCachePointer {
  @inline(__always)
  func slots(_ memory: XArrayMemory) -> XArray {
    XArray(root: UnsafeMutableRawPointer(self).assumingMemoryBound(to: AtomicWord.self), memory: memory)
  }

  /// Pages that hold a byte of the file, the last one perhaps only in part.
  @inline(__always)
  var filePages: UInt64 { PageSize.pages(covering: pointee.size.load(ordering: .acquiring)) }
}

extension Folio {
  /// Marks a folio dirty on behalf of the cache that it lies in now; nothing for one that has left its cache. For a device's the
  /// flag has no meaning but to show, for its entry in the cache was marked when stores were let through.
  func markDirty() {
    if contains(.device) {
      insert(.dirty)
      return
    }
    let mapping = head.pointee.mapping.load(ordering: .relaxed)
    if mapping == Frame.anonymousMapping { insert(.dirty) }
    guard mapping != Frame.anonymousMapping, let cache = PageCachePointer(bitPattern: UInt(mapping)) else { return }
    cache.pointee.node._withUnsafeGuaranteedRef { $0.markDirty(self) }
  }
}

/// A reference on a folio, found in a cache or just made; its end gives it back.
struct FolioReference: ~Copyable {
  let folio: Folio
  private let memory: Unmanaged<PhysicalMemory>

  /// Takes over a reference that the caller holds.
  @inline(__always)
  init(owning folio: Folio, memory: PhysicalMemory) {
    self.folio = folio
    self.memory = Unmanaged.passUnretained(memory)
  }

  @inline(__always)
  deinit { memory._withUnsafeGuaranteedRef { folio.put(to: $0) } }

  /// Hands the reference on: to a page-table entry or a cache slot.
  @inline(__always)
  consuming func release() -> Folio {
    let folio = folio
    discard self
    return folio
  }
}
