import Testing

@testable import Faultline

/// A device that is mapped as a whole: one entry for each folio, and nothing that cuts one.
@Suite struct WholeDeviceTests {
  @Test(arguments: [0, 9, 18] as [UInt64])
  func sixteenGibibytesAreMappedFaultedAndPinned(order: UInt64) throws {
    let count = 16 * DeviceStage.giga
    let stage = try DeviceStage(order: order, pages: count)
    try stage.map()
    let piece: UInt64 = 1 << order
    for page in stride(from: 0, to: count, by: Int(max(piece, 512))) { #expect(stage.touch(page) == nil) }
    #expect(stage.task.minorFaults == count / max(piece, 512))
    for page in [0, 1, 511, 512, DeviceStage.giga - 1, 3 * DeviceStage.giga + 777, count - 1] {
      stage.touch(page)
      #expect(stage.devicePage(page) == page)
      #expect(stage.entry(page).isHuge == (order > 0) && stage.entry(page).isGigantic == (order == 18))
    }
    var held = PinnedPages(.pin, of: stage.machine, form: .runs)
    let start = 2 * DeviceStage.giga - (order == 0 ? 0 : 100)
    let wanted: UInt64 = order == 0 ? 1 : 200
    let got = try stage.space.holdNow(stage.range(start..<start + wanted), .write, into: &held, by: &stage.task)
    #expect(got == wanted)
    var page = start
    held.forEachPage { frame in
      #expect(stage.pages.page(of: stage.machine.memory.frame(frame)) == page)
      page += 1
    }
    held.unpin()
    try stage.space.munmap(stage.address(0), length: count << 12)
    #expect(stage.space.mappedFilePages == 0 && stage.folio(ofDevicePage: start).references == 1)
  }
}
