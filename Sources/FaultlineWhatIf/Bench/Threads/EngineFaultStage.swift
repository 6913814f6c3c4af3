import Faultline

/// An address space of the engine whose threads fault.
struct EngineFaultStage: Sendable {
  private let space: AddressSpace

  init(_ load: FaultLoad, _ mode: LockMode) throws(KernelError) {
    let machine = try Machine(frameCount: 1 << 18)
    space = try AddressSpace(machine: machine, lockMode: mode)
    let length = UInt64(FaultStageSize.areaPages) << PageSize.shift
    var task = FaultTask()
    for thread in 0..<FaultStageSize.threads {
      let address = VirtualAddress(page: Self.firstPage(ofThread: thread))
      switch load {
      case .anonymous:
        try space.mmap(
          address: address, length: length, protection: [.read, .write], flags: [.private, .anonymous, .fixed],
          by: &task)
      case .privateFile, .sharedFile:
        let file = OpenFile(node: FileNode(machine: machine, traits: .tmpfs, size: length), mode: .readWrite)
        let type: MapFlags = load == .sharedFile ? .shared : .private
        try space.mmap(
          address: address, length: length, protection: [.read, .write], flags: type.union(.fixed), file: file,
          by: &task)
        try space.madvise(address, length: length, .populateRead, by: &task)
        try space.madvise(address, length: length, .dontNeed, by: &task)
      }
    }
  }

  /// Areas of different threads lie far apart: no two share a page table, and none is merged with another.
  private static func firstPage(ofThread thread: Int) -> UInt64 { UInt64(thread + 1) << 24 }

  func part(ofThread thread: Int) -> EngineFaultPart {
    EngineFaultPart(space: space, firstPage: Self.firstPage(ofThread: thread))
  }
}

/// A thread of the engine.
struct EngineFaultPart: FaultPart, ~Copyable {
  private let space: AddressSpace
  private let firstPage: UInt64
  private var task = FaultTask()

  init(space: AddressSpace, firstPage: UInt64) {
    self.space = space
    self.firstPage = firstPage
  }

  mutating func store(toPage page: Int) {
    _ = space.access(VirtualAddress(page: firstPage &+ UInt64(page)), .write, by: &task)
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
