import FaultlineFS
import Foundation
import Synchronization
import Testing

@testable import Faultline

/// A device that is taken away: nobody new, no entry, no holder, and then another may have its frames.
@Suite struct RemoveDeviceTests {
  private static let giga = DeviceStage.giga

  @Test(arguments: [0, 9, 18] as [UInt64])
  func afterRemovalEveryAccessEndsInASignal(order: UInt64) throws {
    let stage = try DeviceStage(order: order)
    try stage.map()
    stage.touch(0)
    let child = try stage.space.fork()
    #expect(child.access(stage.address(9), .read, by: &stage.task) == nil)
    try stage.machine.remove(stage.pages)
    #expect(stage.space.mappedFilePages == 0 && child.mappedFilePages == 0)
    #expect(stage.touch(0) == .bus(.adrErr) && stage.touch(0, .read) == .bus(.adrErr))
    #expect(child.access(stage.address(9), .read, by: &stage.task) == .bus(.adrErr))
    #expect(errno { try stage.map(at: 4 * Self.giga) } == .ENXIO)
    #expect(errno { try stage.machine.remove(stage.pages) } == .ENXIO)
    #expect(errno { _ = try FileNode(machine: stage.machine, device: stage.pages) } != nil)
    #expect(errno { _ = try stage.space.pin(stage.range(0..<1), by: &stage.task).pageCount } == .EFAULT)
    #expect(stage.violations() == [])
  }

  @Test(arguments: [0, 9, 18] as [UInt64])
  func aHeldPageRefusesRemovalAndLosesNothing(order: UInt64) throws {
    let stage = try DeviceStage(order: order)
    try stage.map()
    for kind: HoldKind in [.pin, .reference] {
      var held = PinnedPages(kind, of: stage.machine)
      try stage.space.hold(stage.range(5..<6), .write, into: &held, by: &stage.task)
      #expect(errno { try stage.machine.remove(stage.pages, busyPages: .refuse) } == .EBUSY)
      #expect(stage.entry(5).isNone && stage.heldDevicePages(held) == [5])
      #expect(stage.touch(5) == nil && stage.devicePage(5) == 5)
      held.removeAll()
    }
    #expect(stage.violations() == [])
    try stage.machine.remove(stage.pages, busyPages: .refuse)
  }

  @Test func removalWaitsForWhoHoldsAPage() throws {
    let stage = try DeviceStage(order: 9)
    try stage.map()
    var held = PinnedPages(.pin, of: stage.machine)
    try stage.space.hold(stage.range(5..<700), .write, into: &held, by: &stage.task)
    let isGone = Atomic(false)
    let (machine, pages) = (stage.machine, stage.pages)
    withThread({
      try? machine.remove(pages)
      isGone.store(true, ordering: .releasing)
    }) {
      // An access goes through for as long as the entry is there; no fault brings it back.
      while stage.pages.isStaying || stage.folio(ofDevicePage: 0).isMapped {}
      let wasGone = isGone.load(ordering: .acquiring)
      #expect(!wasGone && stage.touch(0) == .bus(.adrErr))
      held.removeAll(markingDirty: true)
    }
    let isOver = isGone.load(ordering: .acquiring)
    #expect(isOver)
  }

  @Test func aDeviceComesBackInFoliosOfAnotherSize() throws {
    let stage = try DeviceStage(order: 18)
    try stage.map()
    stage.touch(7)
    try stage.machine.remove(stage.pages)
    for order: UInt64 in [9, 0, 18] {
      let pages = try stage.machine.pages(of: stage.device, order: order)
      #expect(pages.frame(ofPage: 0) == stage.pages.frame(ofPage: 0))
      let file = OpenFile(node: try FileNode(machine: stage.machine, device: pages), mode: .readWrite)
      let start = try stage.space.mmap(
        length: 1 << 30, protection: [.read, .write], flags: .shared, file: file, by: &stage.task)
      #expect(stage.space.access(VirtualAddress(page: start.page + 600), .write, by: &stage.task) == nil)
      #expect(Folio(of: pages.frame(ofPage: 600)).order == order)
      #expect(stage.violations() == [])
      try stage.machine.remove(pages)
      try stage.space.munmap(start, length: 1 << 30)
    }
    // The first node ends now, of a device that others have had since.
    let claimed = try stage.machine.pages(of: stage.device)
    #expect(claimed.order == nil && claimed.claim(512, order: 9, for: 0, at: 0) != nil)
    #expect(errno { try stage.machine.remove(claimed) } == .EBUSY)
  }

  @Test func theMachineLetsGoOfTheDevice() throws {
    let machine = try Machine(frameCount: 1 << 12)
    weak var gone: RAMDevice?
    do {
      let device = try RAMDevice(pageCount: 512)
      gone = device
      try machine.remove(machine.pages(of: device, order: 9))
    }
    #expect(gone == nil)
  }

  /// Both at once, many times: no count is off afterwards, and every round ends.
  @Test func pinsAndRemovalsOfOneDeviceRaceWithoutHarm() throws {
    let machine = try Machine(frameCount: 1 << 12)
    let device = try RAMDevice(pageCount: 1024)
    for round in 0..<60 {
      let pages = try machine.pages(of: device, order: round % 2 == 0 ? 9 : 0)
      let space = try AddressSpace(machine: machine)
      let file = OpenFile(node: try FileNode(machine: machine, device: pages), mode: .readWrite)
      var task = FaultTask()
      let start = try space.mmap(
        length: 1 << 22, protection: [.read, .write], flags: .shared, file: file, by: &task)
      withThread({
        var task = FaultTask()
        while pages.isStaying {
          var held = PinnedPages(.pin, of: machine)
          _ = try? space.hold(
            VirtualAddress(page: start.page + 3)..<VirtualAddress(page: start.page + 700), .write, into: &held,
            by: &task)
        }
      }) {
        for page: UInt64 in 0..<1024 { _ = space.access(VirtualAddress(page: start.page + page), .write, by: &task) }
        #expect(errno { try machine.remove(pages) } == nil)
      }
      #expect(space.mappedFilePages == 0)
    }
    #expect(machine.auditSpaces.isEmpty)
  }
}

/// Runs `other` on a thread of its own beside `body`; both have ended when this returns.
private func withThread(_ other: @escaping @Sendable () -> Void, _ body: () throws -> Void) rethrows {
  let end = DispatchSemaphore(value: 0)
  Thread {
    other()
    end.signal()
  }.start()
  defer { end.wait() }
  try body()
}
