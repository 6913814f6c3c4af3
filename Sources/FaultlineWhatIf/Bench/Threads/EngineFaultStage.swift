import Faultline

/// An address space of the engine whose threads fault.
struct EngineFaultStage: Sendable {
  private let space: AddressSpace
  private let access: Access

  /// - Parameter threads: how many have an area in it.
  init(_ load: FaultLoad, _ mode: LockMode, threads: Int) throws(KernelError) {
    var rules = KernelRules.linux6_18
    if load == .fileLoad { rules.faultAroundBytes = PageSize.bytes }
    // Twice what the areas and their files take, for tables and what waits in the caches of processors.
    let machine = try Machine(rules: rules, frameCount: max(1 << 18, UInt64(threads * 4 * FaultStageSize.areaPages)))
    space = try AddressSpace(machine: machine, lockMode: mode)
    access = load.access
    let length = UInt64(FaultStageSize.areaPages) << PageSize.shift
    var task = FaultTask()
    for thread in 0..<threads {
      let address = VirtualAddress(page: Self.firstPage(ofThread: thread))
      guard load.isFile else {
        try space.mmap(
          address: address, length: length, protection: [.read, .write], flags: [.private, .anonymous, .fixed],
          by: &task)
        continue
      }
      let file = OpenFile(node: FileNode(machine: machine, traits: .tmpfs, size: length), mode: .readWrite)
      try space.mmap(
        address: address, length: length, protection: [.read, .write],
        flags: [load.isShared ? .shared : .private, .fixed], file: file, by: &task)
      try space.madvise(address, length: length, .populateRead, by: &task)
      try space.madvise(address, length: length, .dontNeed, by: &task)
    }
  }

  /// Areas of different threads lie far apart: no two share a page table, and none is merged with another.
  private static func firstPage(ofThread thread: Int) -> UInt64 { UInt64(thread + 1) << 24 }

  func part(ofThread thread: Int) -> EngineFaultPart {
    EngineFaultPart(space: space, firstPage: Self.firstPage(ofThread: thread), access: access)
  }
}

/// A thread of the engine.
struct EngineFaultPart: FaultPart, ~Copyable {
  private let space: AddressSpace
  private let firstPage: UInt64
  private let access: Access
  private var task = FaultTask()

  init(space: AddressSpace, firstPage: UInt64, access: Access) {
    self.space = space
    self.firstPage = firstPage
    self.access = access
  }

  var speculation: SpeculationCounts { task.speculation }

  mutating func touch(page: Int) {
    _ = space.access(VirtualAddress(page: firstPage &+ UInt64(page)), access, by: &task)
  }

  mutating func load(page: Int) {
    _ = space.access(VirtualAddress(page: firstPage &+ UInt64(page)), .read, by: &task)
  }

  // The stage has mapped what these name, so none of them can be refused.
  mutating func letGo() {
    let length = UInt64(FaultStageSize.areaPages) << PageSize.shift
    try? space.madvise(VirtualAddress(page: firstPage), length: length, .dontNeed, by: &task)
  }

  mutating func mapAndUnmap() {
    let place = VirtualAddress(page: firstPage &+ 1 << 23)
    let length = UInt64(FaultStageSize.mappedBytes)
    _ = try? space.mmap(
      address: place, length: length, protection: [.read, .write], flags: [.private, .anonymous, .fixed], by: &task)
    try? space.munmap(place, length: length)
  }
}
