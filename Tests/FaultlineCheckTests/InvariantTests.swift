import Faultline
import FaultlineCheck
import Testing

@Suite struct InvariantTests {
  /// A file, two address spaces that map it in different ways, and a thread.
  private func run(_ body: (Scene) throws -> Void) throws -> [Violation] {
    let scene = try Scene()
    try body(scene)
    return scene.check()
  }

  @Test func holdOfAFreshMachine() throws {
    #expect(try run { _ in }.isEmpty)
  }

  @Test func holdThroughFaultsCopiesAndForks() throws {
    let violations = try run { scene in
      for page in stride(from: 0, to: 200 as UInt64, by: 7) {
        #expect(scene.touch(page, .read) == nil)
        #expect(scene.touch(199 - page, .write) == nil)
      }
      let child = try scene.space.fork()
      scene.child = child
      #expect(scene.touch(20, .write) == nil)
      scene.node.truncate(to: 100 << 12)
      try scene.space.munmap(VirtualAddress(page: scene.base + 30), length: 40 << 12)
      try scene.node.writeBack()
      scene.node.dropClean()
    }
    #expect(violations.isEmpty, "\(violations)")
  }

  @Test func everythingIsGivenBackWhenNothingIsLeft() throws {
    let machine = try fullMachine()
    #expect(machine.memory.usedFrames == 1, "the zero page")
    #expect(Invariants(machine: machine).check().isEmpty)
  }

  private func fullMachine() throws -> Machine {
    let scene = try Scene()
    for page in 0..<200 as Range<UInt64> { #expect(scene.touch(page, page % 2 == 0 ? .read : .write) == nil) }
    #expect(scene.machine.memory.usedFrames > 200)
    return scene.machine
  }

  @Test func aReferenceThatNobodyAccountsForIsSeen() throws {
    let scene = try Scene()
    let extra = Invariants(machine: scene.machine, held: [0: 1])
    let violation = try #require(extra.check().first)
    #expect(violation.law == .referencesAddUp)
  }
}

/// A small machine with contents: one file of 200 pages mapped shared and private.
final class Scene {
  let machine: Machine
  let node: FileNode
  let file: OpenFile
  let space: AddressSpace
  var child: AddressSpace?
  var hugeFile: OpenFile?
  let base: UInt64 = 5000
  var task = FaultTask()
  private var kept: PinnedPages?

  init(rules: KernelRules = .linux6_18) throws {
    machine = try Machine(rules: rules, frameCount: 1 << 14, contents: .bytes)
    node = FileNode(machine: machine, traits: .ext4Journal, size: 200 << 12)
    file = OpenFile(node: node, mode: .readWrite)
    space = try AddressSpace(machine: machine)
    for (start, flags) in [(base, MapFlags.private), (base + 4096, .shared)] {
      try space.mmap(
        address: VirtualAddress(page: start), length: 200 << 12, protection: [.read, .write],
        flags: flags.union(.fixed), file: file, by: &task)
    }
  }

  func touch(_ page: UInt64, _ access: Access, shared: Bool = false) -> Signal? {
    space.access(VirtualAddress(page: base + page + (shared ? 4096 : 0)), access, by: &task)
  }

  /// Takes hold of what is entered now, and gives it back at once or when the scene ends.
  ///
  /// - Parameter pages: of the address space.
  /// - Returns: the frames that were had.
  @discardableResult
  func hold(
    _ pages: Range<UInt64>, _ kind: HoldKind = .pin, _ flags: PinFlags = [], keeping: Bool = false
  ) -> [FrameNumber] {
    // In a race window the scene's own thread is in the middle of something else.
    var task = FaultTask()
    var held = PinnedPages(kind, of: machine)
    let range = VirtualAddress(page: pages.lowerBound)..<VirtualAddress(page: pages.upperBound)
    _ = try? space.holdNow(range, flags, into: &held, by: &task)
    var frames: [FrameNumber] = []
    held.forEachPage { frames.append($0) }
    if keeping, !frames.isEmpty { kept = consume held } else { held.unpin() }
    return frames
  }

  func check() -> [Violation] {
    Invariants(machine: machine).check()
  }
}
