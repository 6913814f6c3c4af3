@testable import Faultline

/// One file, mapped shared and private, and everything that threads do to it and to its address space.
///
/// `@unchecked Sendable`: everything in it is the engine's, which any thread may use.
final class ThreadStage: @unchecked Sendable {
  static let shared: UInt64 = 1 << 20
  static let `private`: UInt64 = 1 << 21
  /// Where a moved range goes, and where the file is mapped that comes and goes.
  static let elsewhere: UInt64 = 1 << 22
  static let visitor: UInt64 = 1 << 23
  static let pages: UInt64 = 128

  enum Part: CaseIterable {
    case access, accessToo, areas, file, children, visit, pins
  }

  let machine: Machine
  let node: FileNode
  let file: OpenFile
  let space: AddressSpace
  /// Pinned pages that were found free.
  let freeUnderPin = AtomicWord(0)

  init(_ mode: LockMode) throws {
    machine = try Machine(frameCount: 1 << 16, contents: .bytes)
    // Small windows: the play is about who takes pages from whom, not about reading them again and again.
    var traits = FileTraits.ext4Journal
    traits.readaheadPages = 4
    node = FileNode(machine: machine, traits: traits, size: Self.pages << 12)
    file = OpenFile(node: node, mode: .readWrite)
    space = try AddressSpace(machine: machine, lockMode: mode)
    var task = FaultTask()
    for (page, flags) in [(Self.shared, MapFlags.shared), (Self.private, .private)] {
      try space.mmap(
        address: VirtualAddress(page: page), length: Self.pages << 12, protection: [.read, .write],
        flags: flags.union(.fixed), file: file, by: &task)
    }
  }
}

/// One thread's part. Errors and signals belong to the play: what is mapped changes all the time.
struct Player: ~Copyable {
  private static let length: UInt64 = 16 << 12

  private let stage: ThreadStage
  private var random: SplitMix
  private var task = FaultTask()

  init(_ stage: ThreadStage, seed: UInt64) {
    self.stage = stage
    random = SplitMix(seed: seed)
  }

  mutating func play(_ part: ThreadStage.Part) {
    switch part {
    case .access, .accessToo: for _ in 0..<1_500 { access(stage.space) }
    case .areas: for _ in 0..<150 { changeAreas() }
    case .file: for _ in 0..<120 { changeFile() }
    case .children: raiseChildren()
    case .visit: for _ in 0..<40 { visit() }
    case .pins: for _ in 0..<600 { pin() }
    }
  }

  private mutating func somewhere() -> VirtualAddress {
    let bases = [ThreadStage.shared, ThreadStage.private, ThreadStage.private, ThreadStage.elsewhere]
    return VirtualAddress(page: bases[Int(random.next() % 4)] + random.next() % ThreadStage.pages)
  }

  private mutating func access(_ space: AddressSpace) {
    let address = somewhere()
    if random.next() % 2 == 0 {
      _ = space.load(address, by: &task)
    } else {
      _ = space.store(address, random.next(), by: &task)
    }
  }

  private mutating func changeAreas() {
    let space = stage.space
    let address = somewhere()
    switch random.next() % 8 {
    case 0: try? space.munmap(address, length: Self.length)
    case 1, 2:
      _ = try? space.mmap(
        address: address, length: Self.length, protection: [.read, .write],
        flags: [random.next() % 2 == 0 ? .private : .shared, .fixed], file: stage.file,
        offset: (random.next() % ThreadStage.pages) << 12, by: &task)
    case 3:
      let protection: Protection = random.next() % 2 == 0 ? .read : [.read, .write]
      try? space.mprotect(address, length: Self.length, protection, by: &task)
    case 4: try? space.madvise(address, length: Self.length, .dontNeed, by: &task)
    case 5: try? space.madvise(address, length: Self.length, .pageOut, by: &task)
    case 6:
      let target = VirtualAddress(page: ThreadStage.elsewhere + random.next() % ThreadStage.pages)
      _ = try? space.mremap(
        address, length: Self.length, newLength: Self.length, flags: [.mayMove, .fixed], newAddress: target, by: &task)
    default: try? space.populate(address, length: Self.length, by: &task)
    }
  }

  private mutating func changeFile() {
    let node = stage.node
    let page = random.next() % ThreadStage.pages
    switch random.next() % 6 {
    case 0: node.truncate(to: page << 12 + random.next() % 4096)
    case 1, 2: node.truncate(to: ThreadStage.pages << 12)
    case 3: node.punchHole(page << 12..<(page + 8) << 12)
    case 4: try? node.writeBack()
    default: node.dropClean()
    }
  }

  /// Pins and references, with faults and without, of which each is still there when it is given back.
  private mutating func pin() {
    let start = somewhere()
    let range = start..<VirtualAddress(page: start.page + 1 + random.next() % 24)
    let flags: PinFlags = random.next() % 2 == 0 ? .write : []
    var held = PinnedPages(
      random.next() % 2 == 0 ? .pin : .reference, of: stage.machine, form: random.next() % 2 == 0 ? .pages : .runs)
    if random.next() % 2 == 0 {
      _ = try? stage.space.hold(range, flags, into: &held, by: &task)
    } else {
      _ = try? stage.space.holdNow(range, flags, into: &held, by: &task)
    }
    held.forEachPage { frame in
      if stage.machine.memory.auditIsFree(frame) { stage.freeUnderPin.wrappingAdd(1, ordering: .relaxed) }
    }
    held.unpin(markingDirty: flags.contains(.write))
  }

  /// Children that fault, fork, and end in the middle of everybody else's work.
  private mutating func raiseChildren() {
    var children: [AddressSpace] = []
    for _ in 0..<40 {
      if children.count == 3 { children.remove(at: Int(random.next() % 3)) }
      let parent = children.last.flatMap { random.next() % 4 == 0 ? $0 : nil } ?? stage.space
      guard let child = try? parent.fork() else { continue }
      for _ in 0..<20 { access(child) }
      children.append(child)
    }
  }

  /// A file that is opened, mapped and closed: whoever lets go last ends it, reclaim and children among them.
  private mutating func visit() {
    let space = stage.space
    let address = VirtualAddress(page: ThreadStage.visitor)
    do {
      let node = FileNode(machine: stage.machine, traits: .ext4Journal, size: 16 << 12)
      let file = OpenFile(node: node, mode: .readWrite)
      _ = try? space.mmap(
        address: address, length: Self.length, protection: [.read, .write],
        flags: [random.next() % 2 == 0 ? .private : .shared, .fixed], file: file, by: &task)
    }
    for _ in 0..<16 {
      let place = VirtualAddress(page: address.page + random.next() % 16)
      _ = random.next() % 2 == 0 ? space.access(place, .read, by: &task) : space.store(place, 1, by: &task)
    }
    try? space.munmap(address, length: Self.length)
  }
}
