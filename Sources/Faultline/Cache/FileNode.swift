/// A file: its cached pages, its size, its store and the areas that map it. Kernel: `struct inode` with its
/// `address_space`.
///
/// Any thread may use it.
///
/// `@unchecked Sendable`: the cache is raw memory of shared words; `areas` is guarded by `areasLock`.
public final class FileNode: @unchecked Sendable {
  public let machine: Machine
  public let traits: FileTraits
  /// Where pages come from; `nil` for files whose contents do not matter (replay) or that live in memory only.
  public let store: (any BackingStore)?
  /// What a file with DAX lies on, whose pages are mapped where they lie; `nil` for others.
  let direct: DirectBacking?
  /// The device that this is as a whole; `nil` for files.
  let device: DevicePageMap?
  /// The file's number on its machine, in the order in which files were made, from 1.
  public let number: UInt64
  let cache: PageCachePointer
  /// Parts of the machine, at hand for every look into the cache.
  let memory: PhysicalMemory
  private let nodes: XArrayMemory
  private let events: EventLog
  /// What was read from the store on behalf of this file.
  let pagesReadWord = AtomicWord(0)
  let readRequestsWord = AtomicWord(0)
  /// Pages that have room on the device, counted from the file's start, as far as a write needs to know.
  let roomWord = AtomicWord(0)
  /// A page that was lost before it was written, until a writeback has said so; all ones for none. Kernel: `wb_err`.
  let lostPage = AtomicWord(.max)
  /// Guards the list of areas, and the borders of those in it. Kernel: `i_mmap_rwsem`.
  let areasLock = ReadWriteLock()
  private var areas: [VMAPointer] = []

  /// - Parameter size: bytes.
  public convenience init(machine: Machine, traits: FileTraits, store: (any BackingStore)? = nil, size: UInt64) {
    self.init(machine, traits, store, size: size, direct: nil, device: nil)
  }

  init(
    _ machine: Machine, _ traits: FileTraits, _ store: (any BackingStore)?, size: UInt64, direct: DirectBacking?,
    device: DevicePageMap?
  ) {
    self.machine = machine
    memory = machine.memory
    nodes = machine.nodes
    events = machine.events
    self.traits = traits
    self.store = store
    self.direct = direct
    self.device = device
    number = machine.fileNumbers.wrappingAdd(1, ordering: .relaxed).newValue
    cache = CacheLines.allocate(for: PageCache.self)
    cache.initialize(to: PageCache(node: self, size: size, isDirect: direct != nil || device != nil))
    machine.census.add(self)
  }

  deinit {
    machine.census.remove(self)
    if let device {
      device.leave(cache)
    } else if let dax {
      dax.dropAllEntries()
    } else {
      dropAllFolios()
    }
    cache.deinitialize(count: 1)
    cache.deallocate()
  }

  /// Bytes in the file.
  public var size: UInt64 { cache.pointee.size.load(ordering: .acquiring) }

  /// Pages in the cache.
  public var cachedPages: UInt64 { cache.pointee.pageCount.load(ordering: .relaxed) }

  /// Pages that were read from the store, ahead or on demand.
  public var pagesRead: UInt64 { pagesReadWord.load(ordering: .relaxed) }

  /// Runs of consecutive pages that were asked for at once. A device may split a run further.
  public var readRequests: UInt64 { readRequestsWord.load(ordering: .relaxed) }

  @inline(__always)
  var slots: XArray { cache.slots(nodes) }

  // MARK: Areas that map the file. Kernel: `i_mmap`

  func add(_ area: VMAPointer) {
    areasLock.lockExclusive()
    areas.append(area)
    areasLock.unlockExclusive()
  }

  func remove(_ area: VMAPointer) {
    areasLock.lockExclusive()
    drop(area)
    areasLock.unlockExclusive()
  }

  /// Runs a change of borders, which may give the list an area or take one.
  func changeAreas(removing gone: VMAPointer?, _ change: () -> VMAPointer?) {
    areasLock.lockExclusive()
    if let new = change() { areas.append(new) }
    if let gone { drop(gone) }
    areasLock.unlockExclusive()
  }

  private func drop(_ area: VMAPointer) {
    if let place = areas.lastIndex(of: area) { areas.remove(at: place) }
  }

  /// Calls `body` with each area that maps the file now, oldest first. They stay and keep their borders during the
  /// call.
  func forEachArea(_ body: (VMAPointer) -> Void) {
    areasLock.lockShared()
    for area in areas { body(area) }
    areasLock.unlockShared()
  }
}

// MARK: - Folios

extension FileNode {
  /// The folio that holds page `index`, with a reference on it. The caller holds no lock of slots.
  func lookUp(_ index: UInt64) -> FolioReference? {
    while true {
      var frozen: Folio?
      let found: Folio? = withSlots { slots in
        guard let folio = XArray.folio(slots.load(index)) else { return nil }
        if folio.tryGet() { return folio }
        frozen = folio
        return nil
      }
      if let found { return FolioReference(owning: found, memory: memory) }
      guard let frozen else { return nil }
      // Reclaim will empty the slot, for which it needs the lock, or give the references back.
      spinHint(on: frozen.head.pointee.life)
    }
  }

  /// The same without the lock of the slots, for a fault. The caller is in an epoch. Kernel: `filemap_get_folio`.
  func lookUpInEpoch(_ index: UInt64) -> FolioReference? {
    while let folio = XArray.folio(slots.load(index)) {
      guard folio.tryGet() else {
        // Still there without references: reclaim has frozen it, and will empty the slot or give them back.
        if XArray.folio(slots.load(index)) == folio { spinHint(on: folio.head.pointee.life) }
        continue
      }
      // Between the look and the reference the folio may have been freed and used anew: it counts only if it is still here.
      if XArray.folio(slots.load(index)) == folio { return FolioReference(owning: folio, memory: memory) }
      folio.put(to: memory)
    }
    return nil
  }

  /// Whether the store has nothing for any page of a folio.
  func isHole(_ folio: Folio) -> Bool {
    guard let store else { return false }
    return (folio.index..<folio.endIndex).allSatisfy(store.isHole)
  }

  /// Looks at the slots while nobody changes them, which also keeps their nodes. `body` takes no lock.
  func withSlots<Value>(_ body: (XArray) -> Value) -> Value {
    cache.pointee.slotLock.withLock { body(slots) }
  }

  /// Whether page `index` has a folio.
  func isCached(_ index: UInt64) -> Bool { withSlots { XArray.folio($0.load(index)) != nil } }

  /// Puts a locked folio into its slots, which take a reference of their own for each page.
  ///
  /// - Returns: `false` when a folio is there already or there is no memory; the folio is the caller's still.
  func insert(_ folio: Folio, at index: UInt64) -> Bool {
    let order = folio.order
    folio.head.pointee.index.store(index, ordering: .relaxed)
    folio.head.pointee.mapping.store(UInt64(UInt(bitPattern: cache)), ordering: .relaxed)
    folio.get(folio.pageCount)
    var shadow: Shadow?
    let stored = cache.pointee.slotLock.withLock {
      shadow = Shadow(entry: slots.load(index))
      return slots.store(UInt64(UInt(bitPattern: folio.head)), at: index, order: order)
    }
    if stored {
      // Kernels do not trace what enters files that live in memory, only what leaves them.
      if !traits.isMemoryOnly { events.note(EngineEvent(.added, self, folio)) }
      if let shadow { machine.noteRefault(of: folio, shadow) }
      if !traits.isMemoryOnly { machine.lists.add(folio) }
      cache.pointee.pageCount.wrappingAdd(folio.pageCount, ordering: .relaxed)
    } else {
      folio.head.pointee.mapping.store(0, ordering: .relaxed)
      folio.put(folio.pageCount, to: memory)
    }
    return stored
  }

  /// Takes a locked, unmapped folio out of the cache. Its slots' references go; the caller's remains.
  func remove(_ folio: Folio) {
    events.note(EngineEvent(.deleted, self, folio))
    cache.pointee.slotLock.withLock { slots.erase(folio.index) }
    folio.head.pointee.mapping.store(0, ordering: .relaxed)
    // After the mapping: reclaim puts back only what still has one.
    machine.lists.remove(folio)
    cache.pointee.pageCount.wrappingSubtract(folio.pageCount, ordering: .relaxed)
    folio.put(folio.pageCount, to: memory)
  }

  /// How often a page is looked for and made in turn before memory is called short.
  static let attemptsToMake = 8

  /// A new folio for page `index` in the cache, locked, with a reference; `nil` without memory, when one is there
  /// already, or when it alone would be more than may be cached.
  func makeFolio(at index: UInt64, order: UInt64 = 0) -> FolioReference? {
    guard order == 0 || 1 << order <= machine.cacheLimit ?? .max else { return nil }
    machine.makeRoom(for: 1 << order)
    guard let folio = memory.allocate(order: order, locked: true) else { return nil }
    let reference = FolioReference(owning: folio, memory: memory)
    if insert(folio, at: index) { return reference }
    folio.unlock()
    return nil
  }

  /// Calls `body` with each folio in `pages`, in order, with a reference held during the call.
  func forEachFolio(in pages: Range<UInt64>, _ body: (Folio) -> Void) {
    var index = pages.lowerBound
    while index < pages.upperBound,
      let found = withSlots({ $0.first(from: index, through: pages.upperBound - 1) })
    {
      index = found.index + 1
      guard let reference = lookUp(found.index) else { continue }
      index = max(index, reference.folio.endIndex)
      body(reference.folio)
    }
  }

  private func dropAllFolios() {
    forEachFolio(in: 0..<UInt64.max) { folio in
      folio.lock()
      remove(folio)
      folio.unlock()
    }
    forgetShadows(in: 0..<UInt64.max)
  }

  /// Empties the slots in `pages` that hold what evicted folios left. Kernel: `clear_shadow_entries`.
  func forgetShadows(in pages: Range<UInt64>) {
    cache.pointee.slotLock.withLock {
      var index = pages.lowerBound
      while index < pages.upperBound, let found = slots.first(from: index, through: pages.upperBound - 1) {
        if XArray.isValue(found.entry) { slots.erase(found.index) }
        index = found.index + 1
      }
    }
  }
}
