@testable import Faultline

/// One file in one address space, with a thread that touches it: what most laws of the fault path need.
final class Bench {
  let machine: Machine
  let node: FileNode
  let file: OpenFile
  let space: AddressSpace
  var task = FaultTask()

  init(
    filePages: UInt64, resident: Bool = false, rules: KernelRules = .linux6_18, traits: FileTraits = .ext4Journal,
    contents: PhysicalMemory.Contents = .none
  ) throws {
    machine = try Machine(rules: rules, frameCount: 1 << 20, contents: contents)
    node = FileNode(machine: machine, traits: traits, size: filePages << PageSize.shift)
    file = OpenFile(node: node, mode: .readWrite)
    space = try AddressSpace(machine: machine)
    if resident { Readahead(file: file).submitPages(at: 0, count: filePages, asyncSize: 0) }
  }

  var minor: UInt64 { task.minorFaults }
  var major: UInt64 { task.majorFaults }

  func map(
    pages: UInt64, at page: UInt64, protection: Protection = .read, flags: MapFlags = .shared, filePage: UInt64 = 0
  ) throws {
    try space.mmap(
      address: VirtualAddress(page: page), length: pages << PageSize.shift, protection: protection,
      flags: flags.union(.fixed), file: file, offset: filePage << PageSize.shift, by: &task)
  }

  func read(_ page: UInt64) -> Signal? { space.access(VirtualAddress(page: page), .read, by: &task) }
  func write(_ page: UInt64) -> Signal? { space.access(VirtualAddress(page: page), .write, by: &task) }
  func fetch(_ page: UInt64) -> Signal? { space.access(VirtualAddress(page: page), .execute, by: &task) }

  /// Which pages of a range are entered, counted from its start.
  func presentPages(_ pages: Range<UInt64>) -> [UInt64] {
    pages.filter { space.entry(ofPage: $0).isPresent }.map { $0 - pages.lowerBound }
  }

  /// Which pages of the file are cached.
  func cachedPages() -> [UInt64] {
    (0..<PageSize.pages(covering: node.size)).filter { node.isCached($0) }
  }

  func mark(_ index: UInt64, _ flag: FolioFlags) {
    node.lookUp(index)?.folio.insert(flag)
  }
}
