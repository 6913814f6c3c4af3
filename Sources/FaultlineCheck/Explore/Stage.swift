import Faultline
import FaultlineFS

/// What the threads of a scenario act on: a machine with one file, mapped once, and with some of it entered already.
///
/// `@unchecked Sendable`: written by one thread at a time, for the explorer lets no two run.
final class Stage: @unchecked Sendable {
  /// How the stage is set before the threads begin.
  struct Plan: Sendable {
    var pages: UInt64 = 4
    var isShared = false
    var isMemoryOnly = false
    var isAnonymous = false
    var lockMode = LockMode.perVMA
    var aroundPages: UInt64 = 1
    /// Whether a first fault has come and gone, and left its table, so that the next one needs no lock.
    var hasTable = false
    /// Accessed before the threads begin.
    var loaded: [UInt64] = []
    var stored: [UInt64] = []
    /// Whether nothing takes stores away, so that each must be seen afterwards.
    var keepsStores = false
    /// Whether the file's pages are one folio, clean, instead of single ones.
    var isOneFolio = false
    /// Whether the file lives in memory and is one folio of 2 MiB, mapped where one entry can map it; without a file,
    /// whether private memory may be.
    var isHuge = false
    /// How many of the pages are left, by entries of their own, once the stage is set; `nil` leaves all.
    var pagesLeft: UInt64?
    /// Whether the file lives in memory with only its first four pages there, mapped where one entry could map 2 MiB.
    var couldBeHuge = false
    /// Whether nothing is done that keeps the 2 MiB from being mapped by one entry, so that one must map them in the
    /// end.
    var endsHuge = false
    /// Whether the file lies on a device and is mapped there.
    var direct: DirectPlan?
    /// The order of the folios of a device that is mapped as a whole; `nil` for files and private memory.
    var device: UInt64?
    /// Whether none of the file's pages is cached at first.
    var isCold = false
    /// The largest readahead window.
    var readaheadPages: UInt64 = 0
    /// Whether two of the four pages lie under one leaf table and two under the next.
    var crossesTables = false
    /// The number of the address space's state at first: so that it can wrap.
    var firstSequence: UInt64 = 2
    /// Faults that seem to have had to read already; nothing may take them back twice.
    var misses: UInt64 = 0
    /// Whether there is a child, forked after the accesses above, and what it has accessed itself.
    var hasChild = false
    var childLoaded: [UInt64] = []
    var childStored: [UInt64] = []

    /// Whether executions are long, because they are about 512 pages.
    var isLong: Bool { isHuge || couldBeHuge || pages >= PageSize.entriesPerTable }
  }

  /// The first page under a leaf table of its own.
  static let base: UInt64 = 5120
  /// Where mremap moves things: under another leaf table.
  static let elsewhere: UInt64 = 10240
  /// Where a second mapping of the file lies: one page behind where 2 MiB could be mapped at once.
  static let again: UInt64 = 15361

  let machine: Machine
  let plan: Plan
  let space: AddressSpace
  private var node: FileNode?
  private let other: FileNode
  private let store = RAMStore()
  private(set) var complaints: [String] = []
  private var children: [AddressSpace] = []
  private var written: [UInt64: UInt64] = [:]
  /// Attempts at faults that may have counted what they found.
  private var attempts: UInt64 = 0
  private var missesAtStart: UInt64 = 0
  private var writtenByChild: [UInt64: UInt64] = [:]
  private var file: OpenFile?
  private var fileSystem: ExtentFileSystem?
  private var device: DevicePageMap?
  private var child: AddressSpace?

  init(_ plan: Plan) throws {
    self.plan = plan
    var rules = KernelRules.linux6_18
    rules.faultAroundBytes = plan.aroundPages << PageSize.shift
    machine = try Machine(rules: rules, frameCount: plan.isLong ? 2048 : 256, contents: .bytes)
    space = try AddressSpace(machine: machine, lockMode: plan.lockMode, firstSequence: plan.firstSequence)
    other = FileNode(
      machine: machine, traits: Self.quiet(.ext4Journal), store: RAMStore(), size: plan.pages << PageSize.shift)
    var task = FaultTask()
    var flags: MapFlags = [plan.isShared ? .shared : .private, .fixed]
    if plan.isAnonymous {
      flags.insert(.anonymous)
      node = nil
    } else if let order = plan.device {
      let pages = try machine.pages(of: RAMDevice(pageCount: plan.pages), order: order)
      device = pages
      let node = try FileNode(machine: machine, device: pages)
      self.node = node
      file = OpenFile(node: node, mode: .readWrite)
    } else if let direct = plan.direct {
      fileSystem = try direct.makeFileSystem(pages: plan.pages)
      let node = try direct.open(of: fileSystem, machine: machine)
      self.node = node
      file = OpenFile(node: node, mode: .readWrite)
      if direct.isSynchronous { flags.formUnion([.sharedValidate, .sync]) }
    } else {
      var traits = Self.quiet(
        plan.isHuge
          ? .tmpfsHuge : plan.isMemoryOnly || plan.couldBeHuge ? .tmpfs : plan.isOneFolio ? .ext4(rules) : .ext4Journal)
      traits.readaheadPages = plan.readaheadPages
      let node = FileNode(machine: machine, traits: traits, store: store, size: plan.pages << PageSize.shift)
      self.node = node
      let file = OpenFile(node: node, mode: .readWrite, misses: plan.misses)
      self.file = file
      if plan.isOneFolio || plan.isHuge {
        let bytes = [UInt8](repeating: 0, count: Int(plan.pages << PageSize.shift))
        try bytes.withUnsafeBytes { buffer in try file.write(at: 0, buffer) }
        try node.writeBack()
      } else if !plan.isCold {
        node.makeResident(0..<(plan.couldBeHuge ? 4 : plan.pages))
      }
    }
    try space.mmap(
      address: address(0), length: plan.pages << PageSize.shift, protection: [.read, .write],
      flags: flags, file: file, by: &task)
    if plan.direct?.isMappedAgain == true {
      try space.mmap(
        address: VirtualAddress(page: Self.again), length: plan.pages << PageSize.shift, protection: [.read, .write],
        flags: flags, file: file, by: &task)
    }
    if plan.isHuge, plan.isAnonymous {
      try space.madvise(address(0), length: plan.pages << PageSize.shift, .hugePage, by: &task)
    }
    if plan.hasTable { try leaveTable(&task) }
    for page in plan.loaded { _ = space.access(address(page), .read, by: &task) }
    for page in plan.stored { _ = space.store(address(page), page, by: &task) }
    if let left = plan.pagesLeft {
      try space.munmap(address(left), length: (plan.pages - left) << PageSize.shift)
    }
    if plan.hasChild { child = try space.fork() }
    for page in plan.childLoaded { _ = child?.access(address(page), .read, by: &task) }
    for page in plan.childStored { _ = child?.store(address(page), page, by: &task) }
    missesAtStart = file?.misses ?? 0
  }

  /// In private memory with a copy, so that no fault is the area's first to make one either.
  private func leaveTable(_ task: inout FaultTask) throws {
    for page in [0, plan.pages - 1] {
      _ = space.access(address(page), plan.isShared ? .read : .write, by: &task)
      try space.madvise(address(page), length: PageSize.bytes, .dontNeed, by: &task)
    }
  }

  /// One page at a time, so that a race is about the pages that its threads name.
  private static func quiet(_ traits: FileTraits) -> FileTraits {
    var traits = traits
    traits.readaheadPages = 0
    return traits
  }

  deinit { fileSystem?.abandon() }

  private func address(_ page: UInt64) -> VirtualAddress {
    VirtualAddress(page: Self.base + page - (plan.crossesTables ? 2 : 0))
  }

  /// Does what a thread's plan says, and complains of what must not happen.
  func perform(_ thread: Scenario.ThreadPlan) {
    var task = FaultTask()
    var held = PinnedPages(thread.holds, of: machine)
    defer { attempts += task.attempts.handlings + task.speculation.successes }
    for action in thread.actions {
      do {
        if let signal = try perform(action, &task, &held), !thread.allowed.contains(signal) {
          complaints.append("\(thread.name) ended in \(signal)")
        }
      } catch {
        complaints.append("\(thread.name) failed: \(error)")
      }
    }
  }

  private func perform(_ action: Action, _ task: inout FaultTask, _ held: inout PinnedPages) throws -> Signal? {
    switch action {
    case .load(let page):
      return space.access(address(page), .read, by: &task)
    case .store(let page):
      let signal = space.store(address(page), Self.value(page), by: &task)
      if signal == nil { written[page] = Self.value(page) }
      return signal
    case .write(let page):
      let bytes = withUnsafeBytes(of: Self.value(page).littleEndian) { Array($0) }
      _ = try bytes.withUnsafeBytes { try file?.write(at: page << PageSize.shift, $0) }
      written[page] = Self.value(page)
    case .loadAgain(let page):
      return space.access(VirtualAddress(page: Self.again + page), .read, by: &task)
    case .storeAgain(let page):
      return space.access(VirtualAddress(page: Self.again + page), .write, by: &task)
    case .sync:
      try node?.sync()
    case .munmap(let pages):
      try space.munmap(address(pages.lowerBound), length: UInt64(pages.count) << PageSize.shift)
    case .mprotect(let pages, let protection):
      try space.mprotect(
        address(pages.lowerBound), length: UInt64(pages.count) << PageSize.shift, protection, by: &task)
    case .mapOther(let pages):
      try space.mmap(
        address: address(pages.lowerBound), length: UInt64(pages.count) << PageSize.shift, protection: [.read, .write],
        flags: [.private, .fixed], file: OpenFile(node: other, mode: .readWrite), by: &task)
    case .mremap(let pages):
      let length = UInt64(pages.count) << PageSize.shift
      try space.mremap(
        address(pages.lowerBound), length: length, newLength: length, flags: [.mayMove, .fixed],
        newAddress: VirtualAddress(page: Self.elsewhere), by: &task)
    case .truncate(let pages):
      try node?.resize(to: pages << PageSize.shift)
    case .punch(let pages):
      try file?.change(
        .punchHole, offset: pages.lowerBound << PageSize.shift, length: UInt64(pages.count) << PageSize.shift)
    case .writeBack:
      try node?.writeBack()
    case .pageOut(let pages):
      try space.madvise(address(pages.lowerBound), length: UInt64(pages.count) << PageSize.shift, .pageOut, by: &task)
    case .cool(let pages):
      try space.madvise(address(pages.lowerBound), length: UInt64(pages.count) << PageSize.shift, .cold, by: &task)
    case .collapse:
      try collapse(by: &task)
    case .poison(let page):
      node?.poison(page: page)
    case .dropCaches:
      node?.dropClean()
    case .fork:
      children.append(try space.fork())
    case .childLoad(let page):
      return child?.access(address(page), .read, by: &task)
    case .childStore(let page):
      let signal = child?.store(address(page), Self.childValue(page), by: &task)
      if signal == nil { writtenByChild[page] = Self.childValue(page) }
      return signal
    case .endChild:
      child = nil
    case .guardPage(let page):
      try space.madvise(address(page), length: PageSize.bytes, .guardInstall, by: &task)
    case .close:
      file = nil
      node = nil
    case .collect:
      try space.munmap(VirtualAddress(page: Self.elsewhere), length: PageSize.bytes)
    case .pin(let pages):
      try space.hold(address(pages.lowerBound)..<address(pages.upperBound), .write, into: &held, by: &task)
    case .pinNow(let pages):
      _ = try space.holdNow(address(pages.lowerBound)..<address(pages.upperBound), .write, into: &held, by: &task)
    case .removeDevice(let busyPages):
      try removeDevice(busyPages)
    case .unpin:
      look(at: held)
      held.removeAll(markingDirty: plan.isShared)
    case .squeeze:
      machine.cacheLimit = 1
      other.makeResident(0..<1)
    }
    return nil
  }

  /// What is pinned is not free; and a pinned page of private memory that nobody takes away is the one that the program
  /// sees.
  private func look(at held: borrowing PinnedPages) {
    var frames: [FrameNumber] = []
    held.forEachPage { frames.append($0) }
    for frame in frames where machine.memory.auditIsFree(frame) {
      complaints.append("frame \(frame.rawValue) is free under a pin")
    }
    guard plan.keepsStores, plan.isAnonymous else { return }
    let seen = (0..<plan.pages).map { space.entry(ofPage: address($0).page).frame }
    for frame in frames where !seen.contains(frame) {
      complaints.append("frame \(frame.rawValue) is pinned, and the program sees another page")
    }
  }

  /// Somebody may hold a page, or remove the device as well.
  private func removeDevice(_ busyPages: FileNode.BusyPages) throws(KernelError) {
    guard let device else { return }
    do throws(KernelError) { try machine.remove(device, busyPages: busyPages) } catch {
      guard error.errno == .ENXIO || error.errno == .EBUSY && busyPages == .refuse else { throw error }
    }
  }

  /// The call may find somebody in its way, or nothing there.
  private func collapse(by task: inout FaultTask) throws(KernelError) {
    let length = PageSize.entriesPerTable << PageSize.shift
    do throws(KernelError) { try space.madvise(address(0), length: length, .collapse, by: &task) } catch {
      guard error.errno == .EAGAIN || error.errno == .EINVAL else { throw error }
    }
  }

  private static func value(_ page: UInt64) -> UInt64 { 0x5700 + page }
  private static func childValue(_ page: UInt64) -> UInt64 { 0xc500 + page }

  /// What does not hold now that all threads have ended: the engine's invariants, and that no store is lost.
  func check() -> [String] {
    var found = complaints + Invariants(machine: machine).check().map(\.description)
    guard found.isEmpty else { return found }
    var task = FaultTask()
    checkMisses(&found)
    check(written, in: space, &task, &found)
    if let child { check(writtenByChild, in: child, &task, &found) }
    if plan.keepsStores { for child in children { checkSnapshot(child, &task, &found) } }
    if plan.keepsStores, plan.isShared, let node, !node.traits.isMemoryOnly { checkStore(node, &found) }
    if plan.endsHuge, !space.entry(ofPage: address(0).page).isHuge {
      found.append("2 MiB that one entry could map are mapped by pages")
    }
    return found
  }

  private func check(
    _ written: [UInt64: UInt64], in space: AddressSpace, _ task: inout FaultTask, _ found: inout [String]
  ) {
    for (page, value) in written.sorted(by: { $0.key < $1.key }) {
      // What may have been cut, punched, moved or taken away says nothing.
      guard plan.keepsStores, case .success(let seen) = space.load(address(page), by: &task) else { continue }
      if seen != value { found.append("page \(page) shows \(seen) after a store of \(value)") }
    }
  }

  /// Going around finds a page of the window at most once in each attempt, and one that gave up has counted nothing.
  private func checkMisses(_ found: inout [String]) {
    guard let left = file?.misses, missesAtStart > left + attempts * plan.aroundPages else { return }
    found.append(
      "\(missesAtStart - left) misses were taken back in \(attempts) attempts of \(plan.aroundPages) pages")
  }

  /// A child has its parent's memory as it was at one moment: who sees a store sees all stores of that thread before
  /// it. Threads of scenarios store in the order of pages.
  private func checkSnapshot(_ child: AddressSpace, _ task: inout FaultTask, _ found: inout [String]) {
    var missing: UInt64?
    for (page, value) in written.sorted(by: { $0.key < $1.key }) {
      guard case .success(let seen) = child.load(address(page), by: &task) else { continue }
      if seen != value {
        missing = page
      } else if let missing {
        found.append("the child sees the store to page \(page) and not the earlier one to page \(missing)")
      }
    }
  }

  /// After a last writeback the store, or the device under the file, has every byte.
  private func checkStore(_ node: FileNode, _ found: inout [String]) {
    do throws(KernelError) { try node.sync() } catch { found.append("writeback failed: \(error)") }
    for (page, value) in written.sorted(by: { $0.key < $1.key }) {
      var bytes = [UInt8](repeating: 0, count: Int(PageSize.bytes))
      if let fileSystem {
        bytes = (try? DirectPlan.read(page, of: fileSystem)) ?? bytes
      } else {
        bytes.withUnsafeMutableBytes { try? store.read(firstPage: page, into: $0) }
      }
      let kept = bytes.withUnsafeBytes { UInt64(littleEndian: $0.load(as: UInt64.self)) }
      if kept != value {
        found.append("the store has \(kept) of page \(page) after a store of \(value) was written back")
      }
    }
  }
}
