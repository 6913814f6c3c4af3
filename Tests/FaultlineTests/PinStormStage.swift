@testable import Faultline

/// Private memory and a file in memory, both of 2 MiB folios, and everything that threads do to them while others hold
/// their pages.
///
/// `@unchecked Sendable`: everything in it is the engine's, which any thread may use.
final class PinStormStage: @unchecked Sendable {
  static let span = PageSize.entriesPerTable
  /// 2 MiB twice, where one entry can map each.
  static let memory: UInt64 = 1 << 20
  static let shared: UInt64 = 1 << 21
  static let elsewhere: UInt64 = 1 << 22
  static let pages = 2 * span

  enum Part: CaseIterable {
    case pins, morePins, references, access, areas, file, children
  }

  let machine: Machine
  let node: FileNode
  let file: OpenFile
  let space: AddressSpace
  /// Pages that were found free while they were held.
  let freeWhileHeld = AtomicWord(0)
  /// Pages that were had at all.
  let pagesHeld = AtomicWord(0)

  init(_ mode: LockMode) throws {
    machine = try Machine(frameCount: 1 << 15, contents: .bytes)
    node = FileNode(machine: machine, traits: .tmpfsHuge, size: Self.pages << 12)
    file = OpenFile(node: node, mode: .readWrite)
    space = try AddressSpace(machine: machine, lockMode: mode)
    var task = FaultTask()
    try mapMemory(by: &task)
    try mapFile(by: &task)
  }

  func mapMemory(by task: inout FaultTask) throws(KernelError) {
    let start = VirtualAddress(page: Self.memory)
    try space.mmap(
      address: start, length: Self.pages << 12, protection: [.read, .write], flags: [.private, .anonymous, .fixed],
      file: nil, by: &task)
    try space.madvise(start, length: Self.pages << 12, .hugePage, by: &task)
  }

  func mapFile(by task: inout FaultTask) throws(KernelError) {
    try space.mmap(
      address: VirtualAddress(page: Self.shared), length: Self.pages << 12, protection: [.read, .write],
      flags: [.shared, .fixed], file: file, by: &task)
  }
}

/// One thread's part. Errors and signals belong to the play: what is mapped changes all the time.
struct PinPlayer: ~Copyable {
  private let stage: PinStormStage
  private var random: SplitMix
  private var task = FaultTask()

  init(_ stage: PinStormStage, seed: UInt64) {
    self.stage = stage
    random = SplitMix(seed: seed)
  }

  mutating func play(_ part: PinStormStage.Part) {
    switch part {
    case .pins, .morePins: for _ in 0..<300 { hold(.pin) }
    case .references: for _ in 0..<300 { hold(.reference) }
    case .access: for _ in 0..<400 { access(stage.space) }
    case .areas: for _ in 0..<60 { changeAreas() }
    case .file: for _ in 0..<60 { changeFile() }
    case .children: raiseChildren()
    }
  }

  private mutating func somewhere() -> VirtualAddress {
    let bases = [PinStormStage.memory, PinStormStage.memory, PinStormStage.shared, PinStormStage.elsewhere]
    return VirtualAddress(page: bases[Int(random.next() % 4)] + random.next() % PinStormStage.pages)
  }

  /// With faults and without, as pages and as runs; each page is still there when it is given back.
  private mutating func hold(_ kind: HoldKind) {
    let start = somewhere()
    let range = start..<VirtualAddress(page: start.page + 1 + random.next() % 64)
    let flags: PinFlags = random.next() % 2 == 0 ? .write : []
    var held = PinnedPages(kind, of: stage.machine, form: random.next() % 2 == 0 ? .pages : .runs)
    switch random.next() % 4 {
    case 0: _ = try? stage.space.hold(range, flags.union(.force), into: &held, by: &task)
    case 1: _ = try? stage.space.hold(range, flags, into: &held, by: &task)
    default: _ = try? stage.space.holdNow(range, flags, into: &held, by: &task)
    }
    stage.pagesHeld.wrappingAdd(held.pageCount, ordering: .relaxed)
    held.forEachPage { frame in
      if stage.machine.memory.auditIsFree(frame) { stage.freeWhileHeld.wrappingAdd(1, ordering: .relaxed) }
    }
    held.unpin(markingDirty: flags.contains(.write) && random.next() % 2 == 0)
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
    let whole = VirtualAddress(page: address.page & ~(PinStormStage.span - 1))
    let length = PinStormStage.span << 12
    switch random.next() % 10 {
    case 0: try? space.munmap(address, length: 16 << 12)
    case 1: try? stage.mapMemory(by: &task)
    case 2: try? stage.mapFile(by: &task)
    case 3: try? space.madvise(whole, length: length, .dontNeed, by: &task)
    case 4: try? space.madvise(address, length: 1 << 12, .guardInstall, by: &task)
    case 5: try? space.madvise(whole, length: length, .guardRemove, by: &task)
    case 6, 7: try? space.madvise(whole, length: length, .collapse, by: &task)
    case 8: try? space.mprotect(address, length: 16 << 12, random.next() % 2 == 0 ? .read : [.read, .write], by: &task)
    default:
      let target = VirtualAddress(page: PinStormStage.elsewhere + (whole.page & (PinStormStage.pages - 1)))
      _ = try? space.mremap(
        whole, length: length, newLength: length, flags: [.mayMove, .fixed], newAddress: target, by: &task)
    }
  }

  private mutating func changeFile() {
    let node = stage.node
    let page = random.next() % PinStormStage.pages
    switch random.next() % 6 {
    case 0: node.truncate(to: page << 12)
    case 1, 2: node.truncate(to: PinStormStage.pages << 12)
    case 3, 4: node.punchHole(page << 12..<(page + 8) << 12)
    default:
      try? stage.space.madvise(
        VirtualAddress(page: PinStormStage.shared), length: PinStormStage.span << 12, .collapse, by: &task)
    }
  }

  /// What is pinned is copied for them at once, and 2 MiB of it are split.
  private mutating func raiseChildren() {
    var children: [AddressSpace] = []
    for _ in 0..<24 {
      if children.count == 2 { children.removeFirst() }
      guard let child = try? stage.space.fork() else { continue }
      for _ in 0..<8 { access(child) }
      children.append(child)
    }
  }
}
