import Testing

@testable import Faultline

/// Private memory, small or huge, and a file in memory.
final class PinStage {
  let machine: Machine
  let space: AddressSpace
  var task = FaultTask()
  /// A multiple of 2 MiB.
  let base: UInt64 = 1 << 20

  init(_ rules: KernelRules = .linux6_18) throws {
    machine = try Machine(rules: rules, frameCount: 1 << 14, contents: .bytes)
    space = try AddressSpace(machine: machine)
  }

  func mapPrivate(pages: UInt64, huge: Bool = false) throws {
    let start = VirtualAddress(page: base)
    try space.mmap(
      address: start, length: pages << 12, protection: [.read, .write], flags: [.private, .anonymous, .fixed],
      file: nil, by: &task)
    if huge { try space.madvise(start, length: pages << 12, .hugePage, by: &task) }
  }

  @discardableResult
  func mapFile(
    pages: UInt64, traits: FileTraits = .tmpfs, store: (any BackingStore)? = nil,
    protection: Protection = [.read, .write], _ flags: MapFlags = .shared
  ) throws -> FileNode {
    let node = FileNode(machine: machine, traits: traits, store: store, size: pages << 12)
    try space.mmap(
      address: VirtualAddress(page: base), length: pages << 12, protection: protection,
      flags: flags.union(.fixed), file: OpenFile(node: node, mode: .readWrite), by: &task)
    return node
  }

  func range(_ pages: Range<UInt64>) -> Range<VirtualAddress> {
    VirtualAddress(page: base + pages.lowerBound)..<VirtualAddress(page: base + pages.upperBound)
  }

  func store(_ page: UInt64) { #expect(space.access(VirtualAddress(page: base + page), .write, by: &task) == nil) }

  func frame(_ page: UInt64) -> FrameNumber { space.entry(ofPage: base + page).frame }

  func folio(_ page: UInt64) -> Folio { Folio(of: machine.memory.frame(frame(page))) }

  func references(_ pages: Range<UInt64>) -> [UInt64] { pages.map { folio($0).references } }

  /// Why pages cannot be had; `nil` when they can, or the first of them. Then they are given back.
  func refusal(of pages: Range<UInt64>, _ flags: PinFlags = [], _ kind: HoldKind = .pin) -> Errno? {
    do throws(KernelError) {
      if kind == .pin {
        try space.pin(range(pages), flags, by: &task).unpin()
      } else {
        try space.get(range(pages), flags, by: &task).unpin()
      }
      return nil
    } catch {
      return error.errno
    }
  }
}
