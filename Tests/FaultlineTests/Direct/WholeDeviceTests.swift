import FaultlineFS
import Testing

@testable import Faultline

/// A device that is mapped as a whole: one entry for each folio, and nothing that cuts one.
@Suite struct WholeDeviceTests {
  private static let span = PageSize.entriesPerTable
  private static let giga = DeviceStage.giga

  @Test(arguments: [0, 9, 18] as [UInt64])
  func sixteenGibibytesAreMappedFaultedAndPinned(order: UInt64) throws {
    let count = 16 * Self.giga
    let stage = try DeviceStage(order: order, pages: count)
    try stage.map()
    let step = max(1 << order, Self.span)
    for page in stride(from: 0, to: count, by: Int(step)) { #expect(stage.touch(page) == nil) }
    #expect(stage.task.minorFaults == count / step)
    for page in [0, 1, 511, 512, Self.giga - 1, 3 * Self.giga + 777, count - 1] {
      stage.touch(page)
      #expect(stage.devicePage(page) == page)
      #expect(stage.entry(page).isHuge == (order > 0) && stage.entry(page).isGigantic == (order == 18))
    }
    var held = PinnedPages(.pin, of: stage.machine, form: .runs)
    let start = 2 * Self.giga - (order == 0 ? 0 : 100)
    let wanted: UInt64 = order == 0 ? 1 : 200
    let got = try stage.space.holdNow(stage.range(start..<start + wanted), .write, into: &held, by: &stage.task)
    #expect(got == wanted && stage.heldDevicePages(held).elementsEqual(start..<start + wanted))
    held.unpin()
    try stage.space.munmap(stage.address(0), length: count << 12)
    #expect(stage.space.mappedFilePages == 0 && stage.folio(ofDevicePage: start).references == 1)
  }

  // MARK: What the device refuses

  @Test func pagesHaveOneUseAtATime() throws {
    let stage = try DeviceStage(order: 9)
    let (machine, device) = (stage.machine, stage.device)
    #expect(try machine.pages(of: device, order: 9) === stage.pages)
    #expect(errno { _ = try machine.pages(of: device, order: 18) } == .EBUSY)
    #expect(errno { _ = try machine.pages(of: device) } == .EBUSY)
    #expect(errno { _ = try FileNode(machine: machine, device: stage.pages) } == .EBUSY)
    let other = try RAMDevice(pageCount: 100)
    #expect(errno { _ = try machine.pages(of: other, order: 9) } == .EINVAL)
    #expect(errno { _ = try machine.pages(of: other, order: 1) } == .EINVAL)
    let claimed = try machine.pages(of: other)
    #expect(errno { _ = try FileNode(machine: machine, device: claimed) } == .EINVAL)
  }

  @Test(arguments: [9, 18] as [UInt64])
  func areasBeginAndEndWhereFoliosDo(order: UInt64) throws {
    let stage = try DeviceStage(order: order, pages: 2 * Self.giga)
    let piece: UInt64 = 1 << order
    #expect(errno { try stage.map(.private) } == .EINVAL)
    #expect(errno { try stage.map(at: 1, pages: piece) } == .EINVAL)
    #expect(errno { try stage.map(pages: piece - 1) } == .EINVAL)
    #expect(errno { try stage.map(pages: piece, devicePage: piece / 2) } == .EINVAL)
    try stage.map([.sharedValidate, .sync])
    // Without a wish for an address the place fits.
    let place = try stage.space.mmap(
      length: piece << 12, protection: .read, flags: .shared, file: stage.file, offset: piece << 12, by: &stage.task)
    #expect(place.page & (piece - 1) == 0)
    #expect(stage.space.access(VirtualAddress(page: place.page + 5), .read, by: &stage.task) == nil)
    #expect(stage.violations() == [])
  }

  @Test(arguments: [9, 18] as [UInt64])
  func whatOneEntryMapsIsNotCut(order: UInt64) throws {
    let stage = try DeviceStage(order: order, pages: 2 * Self.giga)
    try stage.map()
    let piece: UInt64 = 1 << order
    stage.touch(0)
    stage.touch(piece)
    #expect(errno { try stage.space.munmap(stage.address(0), length: 1 << 12) } == .EINVAL)
    #expect(errno { try stage.space.munmap(stage.address(1), length: (piece - 1) << 12) } == .EINVAL)
    #expect(errno { try stage.space.mprotect(stage.address(1), length: 1 << 12, .read, by: &stage.task) } == .EINVAL)
    #expect(
      errno { try stage.space.madvise(stage.address(1), length: 1 << 12, .dontFork, by: &stage.task) } == .EINVAL)
    #expect(stage.entry(0).isHuge && stage.entry(piece).isHuge)
    #expect(stage.violations() == [])
    try stage.space.munmap(stage.address(0), length: piece << 12)
    #expect(stage.entry(0).isNone && stage.entry(piece).isHuge)
    #expect(stage.violations() == [])
  }

  @Test func onlyMappingsReachADevice() throws {
    let stage = try DeviceStage(order: 18)
    try stage.map()
    #expect(errno { try stage.file.read(at: 0, count: 1) { _, _, _ in } } == .EINVAL)
    #expect(errno { try stage.file.write(at: 0, UnsafeRawBufferPointer(start: nil, count: 0)) } == .EINVAL)
    #expect(errno { try stage.file.change(.punchHole, offset: 0, length: 4096) } == .ENODEV)
    #expect(errno { try stage.node.resize(to: 0) } == .EINVAL)
    #expect(errno { try stage.node.sync() } == .EINVAL)
    #expect(errno { try stage.space.msync(stage.address(0), length: 4096, .sync) } == .EINVAL)
    #expect(errno { try stage.space.madvise(stage.address(0), length: 4096, .remove, by: &stage.task) } == .ENODEV)
    #expect(errno { try stage.space.madvise(stage.address(0), length: 1 << 30, .collapse, by: &stage.task) } == .EINVAL)
    stage.node.truncate(to: 0)
    #expect(stage.touch(0) == nil && stage.node.size == 1 << 30)
    // These have nowhere to say that they cannot.
    stage.node.punchHole(0..<1 << 21)
    stage.node.zeroRange(0..<1 << 21)
    stage.node.makeResident(0..<4)
    #expect(stage.entry(0).isGigantic && stage.node.cachedPages == 0 && stage.violations() == [])
  }

  // MARK: Entries

  @Test(arguments: [0, 9, 18] as [UInt64])
  func aLoadLetsStoresThroughUnlessTheAreaDoesNot(order: UInt64) throws {
    let stage = try DeviceStage(order: order)
    try stage.map()
    stage.touch(7, .read)
    #expect(stage.entry(7).isWritable && !stage.entry(7).isDirty)
    #expect(stage.touch(7) == nil && stage.task.minorFaults == 1 && stage.entry(7).isDirty)
    try stage.space.mprotect(stage.address(0), length: 1 << 30, .read, by: &stage.task)
    #expect(!stage.entry(7).isWritable && stage.entry(7).isHuge == (order > 0))
    #expect(stage.touch(7) == .segv(.accErr) && stage.touch(7, .read) == nil)
    try stage.space.mprotect(stage.address(0), length: 1 << 30, [.read, .write], by: &stage.task)
    #expect(stage.touch(7) == nil && stage.devicePage(7) == 7)
    #expect(stage.violations() == [])
  }

  @Test func entriesOfOneGibibyteMoveWholeOrNotAtAll() throws {
    let stage = try DeviceStage(order: 18, pages: 2 * Self.giga)
    try stage.map()
    stage.touch(0)
    stage.touch(Self.giga)
    func move(to page: UInt64) throws {
      try stage.space.mremap(
        stage.address(0), length: 1 << 30, newLength: 1 << 30, flags: [.mayMove, .fixed],
        newAddress: VirtualAddress(page: page), by: &stage.task)
    }
    let away = stage.base + 8 * Self.giga
    // Small pages were there before, and their tables above the leaves still are.
    try stage.space.mmap(
      address: VirtualAddress(page: away), length: 1 << 21, protection: [.read, .write],
      flags: [.private, .anonymous, .fixed], by: &stage.task)
    #expect(stage.space.access(VirtualAddress(page: away + 3), .write, by: &stage.task) == nil)
    try move(to: away)
    #expect(
      stage.space.entry(ofPage: away + 9).isGigantic && stage.entry(0).isNone && stage.entry(Self.giga).isGigantic)
    let faults = stage.task.minorFaults
    #expect(stage.space.access(VirtualAddress(page: away + 10), .write, by: &stage.task) == nil)
    #expect(stage.task.minorFaults == faults)
    #expect(stage.violations() == [])
    // Where it does not fit its entry goes, and every access ends in a signal.
    let crooked = stage.base + 12 * Self.giga + 1
    try stage.space.mremap(
      VirtualAddress(page: away), length: 1 << 30, newLength: 1 << 30, flags: [.mayMove, .fixed],
      newAddress: VirtualAddress(page: crooked), by: &stage.task)
    #expect(stage.space.access(VirtualAddress(page: crooked), .read, by: &stage.task) == .bus(.adrErr))
    #expect(stage.space.mappedFilePages == Self.giga && stage.violations() == [])
  }

  @Test func oneGibibyteIsMappedWhereTablesWereLeft() throws {
    let stage = try DeviceStage(order: 18)
    try stage.space.mmap(
      address: stage.address(Self.span), length: 1 << 22, protection: [.read, .write],
      flags: [.private, .anonymous, .fixed], by: &stage.task)
    stage.touch(Self.span)
    try stage.map()
    #expect(stage.touch(3) == nil && stage.entry(3).isGigantic)
    #expect(stage.violations() == [])
  }

  @Test func anAreaThatGrowsOverTablesWhichWereLeftIsMappedThereToo() throws {
    let stage = try DeviceStage(order: 18, pages: 2 * Self.giga)
    let start = stage.address(Self.giga)
    try stage.space.mmap(
      address: start, length: 1 << 22, protection: [.read, .write], flags: [.private, .anonymous, .fixed],
      by: &stage.task)
    stage.touch(Self.giga)
    try stage.space.munmap(start, length: 1 << 22)
    try stage.map(pages: Self.giga)
    try stage.space.mremap(stage.address(0), length: 1 << 30, newLength: 2 << 30, flags: [], by: &stage.task)
    #expect(stage.touch(Self.giga + 5) == nil && stage.entry(Self.giga).isGigantic)
    #expect(stage.violations() == [])
  }

  @Test func tablesOfAGibibyteThatOthersShareStay() throws {
    let stage = try DeviceStage(order: 18)
    try stage.map()
    // An area that begins in the middle of a GiB, beside one whose faults may be on their way through its tables.
    let crooked = stage.base + 4 * Self.giga + Self.span
    try stage.space.mmap(
      address: VirtualAddress(page: crooked - Self.span), length: 1 << 21, protection: [.read, .write],
      flags: [.private, .anonymous, .fixed], by: &stage.task)
    let middle = try #require(stage.space.table.allocateUpperTables(forPage: crooked))
    try stage.space.mremap(
      stage.address(0), length: 1 << 30, newLength: 1 << 30, flags: [.mayMove, .fixed],
      newAddress: VirtualAddress(page: crooked), by: &stage.task)
    #expect(stage.space.table.middle(forPage: crooked)?.table == middle.table)
    #expect(stage.violations() == [])
  }

  @Test(arguments: [0, 9, 18] as [UInt64])
  func advicePartOfAFolioTakesItsWholeEntryAndItComesBack(order: UInt64) throws {
    let stage = try DeviceStage(order: order)
    try stage.map()
    let piece: UInt64 = 1 << order
    stage.touch(0)
    stage.touch(1)
    for advice: Advice in [.cold, .pageOut, .willNeed] {
      try stage.space.madvise(stage.address(0), length: 4096, advice, by: &stage.task)
    }
    stage.touch(0)
    try stage.space.madvise(stage.address(0), length: 4096, .dontNeed, by: &stage.task)
    #expect(stage.entry(0).isNone && stage.entry(1).isNone == (piece > 1))
    #expect(stage.touch(0) == nil && stage.devicePage(0) == 0)
    #expect(stage.violations() == [])
  }

  @Test(arguments: [0, 9, 18] as [UInt64])
  func aChildFaultsTheDeviceInForItself(order: UInt64) throws {
    let stage = try DeviceStage(order: order)
    try stage.map()
    stage.touch(5)
    let held = try stage.space.pin(stage.range(5..<6), [.write, .longTerm], by: &stage.task)
    let child = try stage.space.fork()
    #expect(child.mappedFilePages == 0)
    #expect(child.access(stage.address(5), .write, by: &stage.task) == nil)
    #expect(child.entry(ofPage: stage.base + 5).frame == stage.entry(5).frame)
    held.unpin()
    #expect(stage.violations() == [])
  }

  @Test func whereAreasAreForbiddenHugePagesADeviceHasNoOthers() throws {
    for order: UInt64 in [9, 18] {
      let stage = try DeviceStage(order: order)
      try stage.map()
      try stage.space.madvise(stage.address(0), length: 1 << 30, .noHugePage, by: &stage.task)
      #expect(stage.touch(0) == .bus(.adrErr))
      try stage.space.madvise(stage.address(0), length: 1 << 30, .hugePage, by: &stage.task)
      #expect(stage.touch(0) == nil)
    }
  }

  @Test func everyPageOfAnEntryIsSeen() throws {
    let stage = try DeviceStage(order: 18)
    try stage.map()
    stage.touch(77)
    var pages: [UInt64] = []
    stage.space.forEachMappedPage(in: stage.base + 600..<stage.base + 603) { page, mapped, _ in
      pages.append(page - stage.base)
      #expect(mapped.isHuge && mapped.isDirect && mapped.folioPages == Self.giga && mapped.mapCount == 1)
      #expect(mapped.positionInFolio == page - stage.base)
    }
    #expect(pages == [600, 601, 602])
    #expect(stage.space.mappedFilePages == Self.giga && stage.space.mappedHugeFilePages == Self.giga)
  }

  @Test func theNodesEndLeavesWhatIsHeld() throws {
    let machine = try Machine(frameCount: 1 << 12)
    let device = try RAMDevice(pageCount: Self.giga)
    let pages = try machine.pages(of: device, order: 18)
    var task = FaultTask()
    func pinOnce() throws -> PinnedPages {
      let space = try AddressSpace(machine: machine)
      let file = OpenFile(node: try FileNode(machine: machine, device: pages), mode: .readWrite)
      let start = try space.mmap(
        length: 1 << 30, protection: [.read, .write], flags: .shared, file: file, by: &task)
      return try space.pin(start..<VirtualAddress(page: start.page + 300), [.write, .longTerm], by: &task)
    }
    let first = try pinOnce()
    let second = try pinOnce()
    #expect(Folio(of: pages.frame(ofPage: 1)).references == 601)
    first.unpin(markingDirty: true)
    second.unpin()
    #expect(Folio(of: pages.frame(ofPage: 1)).references == 1)
  }
}
