import Faultline
import FaultlineFS

/// An address space with memory to take hold of, all of it entered. Any thread may use it.
final class PinStage: Sendable {
  /// Where every size of folio can begin.
  private static let firstPage: UInt64 = 1 << 24

  let machine: Machine
  let space: AddressSpace
  let pageCount: UInt64

  /// - Parameter pageCount: a multiple of the folio's pages.
  init(_ memory: PinSetting.Memory, _ size: FolioSize, pageCount: UInt64) throws {
    self.pageCount = pageCount
    machine = try Machine(frameCount: memory == .device ? 1 << 12 : pageCount + 1 << 12)
    space = try AddressSpace(machine: machine)
    var task = FaultTask()
    let address = VirtualAddress(page: Self.firstPage)
    let length = pageCount << PageSize.shift
    switch memory {
    case .device:
      let pages = try machine.pages(of: RAMDevice(pageCount: pageCount), order: size.rawValue)
      let file = OpenFile(node: try FileNode(machine: machine, device: pages), mode: .readWrite)
      try space.mmap(
        address: address, length: length, protection: [.read, .write], flags: [.shared, .fixed], file: file, by: &task)
    case .anonymous:
      try space.mmap(
        address: address, length: length, protection: [.read, .write], flags: [.private, .anonymous, .fixed], by: &task)
      try space.madvise(address, length: length, size == .single ? .noHugePage : .hugePage, by: &task)
    }
    for page in stride(from: 0, to: pageCount, by: Int(size.pageCount)) {
      _ = space.access(VirtualAddress(page: Self.firstPage + page), .write, by: &task)
    }
  }

  /// The bytes of pages counted from the first.
  static func range(_ first: UInt64, _ count: UInt64) -> Range<VirtualAddress> {
    VirtualAddress(page: firstPage &+ first)..<VirtualAddress(page: firstPage &+ first &+ count)
  }
}

/// One thread's share of a stage, and the room for what it takes hold of: used again and again, so that no round pays
/// for memory.
struct PinWorker: ~Copyable {
  /// What gup_test tells.
  struct Round: Sendable {
    /// Nanoseconds to take hold of all pages.
    var get: UInt64
    /// Nanoseconds to give them back.
    var put: UInt64
  }

  private let stage: PinStage
  private let setting: PinSetting
  private let pages: Range<UInt64>
  private var task = FaultTask()
  private var held: PinnedPages

  init(_ stage: PinStage, _ setting: PinSetting, pages: Range<UInt64>) {
    self.stage = stage
    self.setting = setting
    self.pages = pages
    let calls = (pages.count - 1) / Int(setting.pagesPerCall) + 1
    held = PinnedPages(
      setting.kind, of: stage.machine, form: setting.form,
      capacity: setting.form == .pages ? pages.count : max(calls, pages.count >> Int(setting.size.rawValue)) + calls)
  }

  /// Takes hold of all pages, call by call, and gives them back.
  mutating func round() throws -> Round {
    // Read once: a property of an object in the loop would be counted each time.
    let space = stage.space
    let start = monotonicNanoseconds()
    var page = pages.lowerBound
    while page < pages.upperBound {
      let count = min(setting.pagesPerCall, pages.upperBound - page)
      let range = PinStage.range(page, count)
      let got =
        if setting.path == .eachPage {
          space.holdEachPage(range, setting.flags, into: &held, by: &task)
        } else {
          try space.hold(range, setting.flags, into: &held, by: &task)
        }
      guard got == count else { throw PinBenchError.partial(wanted: count, got: got) }
      page += count
    }
    let middle = monotonicNanoseconds()
    held.removeAll()
    return Round(get: middle - start, put: monotonicNanoseconds() - middle)
  }
}

/// Why `bench pin` could not go on.
public enum PinBenchError: Error, CustomStringConvertible {
  /// The engine took hold of fewer pages than it was asked for.
  case partial(wanted: UInt64, got: UInt64)
  /// The loops in C did.
  case loops
  /// No address space for them.
  case memory
  /// Options out of range, or that do not go together.
  case options(String)

  public var description: String {
    switch self {
    case .partial(let wanted, let got): "a call took hold of \(got) of \(wanted) pages"
    case .loops: "the loop in C met a page without references"
    case .memory: "this machine has no room for the metadata that the loops in C work on"
    case .options(let reason): reason
    }
  }
}
