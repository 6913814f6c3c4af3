import Faultline
import FaultlineFS
import Testing

/// What is damaged is said, and nothing is lost beyond it.
@Suite struct DamageTests {
  private func errno(_ body: () throws -> Void) -> Errno? {
    do { try body() } catch { return (error as? KernelError)?.errno }
    return nil
  }

  private func expectReadOnly(_ fs: ExtentFileSystem) {
    #expect(fs.statistics.damage != nil)
    #expect(errno { _ = try fs.create("new") } == .EROFS)
    #expect(errno { try fs.open("pieces").fsync() } == .EROFS)
  }

  @Test(arguments: MetadataMode.allCases, [true, false])
  func aSoundImageHasNoFindingsAndHoldsItsFiles(mode: MetadataMode, isUnmounted: Bool) throws {
    let device = try SampleImage.make(mode, isUnmounted: isUnmounted)
    #expect(FileSystemCheck.run(device) == [])
    let fs = try ExtentFileSystem.mount(device)
    #expect(fs.wasClean == isUnmounted)
    #expect(try fs.open("d/e/text").read(at: 4090, count: 99) == SampleImage.text)
    #expect(try fs.list("/").map(\.name) == ["d", "pieces"])
    try fs.unmount()
    #expect(FileSystemCheck.run(device) == [])
  }

  @Test(arguments: MetadataMode.allCases)
  func aDamagedSuperblockIsNotMounted(mode: MetadataMode) throws {
    let device = try SampleImage.make(mode, isUnmounted: true)
    device.flip(40, 1)
    #expect(errno { _ = try ExtentFileSystem.mount(device) } == .EUCLEAN)
    #expect(FileSystemCheck.run(device).count == 1)
    device.flip(0, 1)
    #expect(errno { _ = try ExtentFileSystem.mount(device) } == .EINVAL)
  }

  @Test func aDamagedCopyOfTheSuperblockIsFound() throws {
    let device = try SampleImage.make(.orderedJournal, isUnmounted: true)
    device.flip(255 << 12 + 40, 1)
    #expect(FileSystemCheck.run(device).count == 1)
    try ExtentFileSystem.mount(device).unmount()
  }

  @Test(arguments: [MetadataMode.orderedJournal, .pinnedLog])
  func aDamagedCommittedTransactionIsNotReplayed(mode: MetadataMode) throws {
    let device = try SampleImage.make(mode, isUnmounted: false)
    let descriptor = try #require(try device.blocks("FLDS", inLog: true).first)
    device.flip((descriptor + 1) << 12 + 100, 4)
    #expect(errno { _ = try ExtentFileSystem.mount(device) } == .EUCLEAN)
    #expect(errno { _ = try ExtentFileSystem.mount(device, options: MountOptions(readOnly: true)) } == .EUCLEAN)
  }

  @Test(arguments: [MetadataMode.orderedJournal, .pinnedLog])
  func theEndOfTheLogIsWhereACommitRecordIsMissing(mode: MetadataMode) throws {
    let device = try SampleImage.make(mode, isUnmounted: false)
    let records = try device.blocks("FLCM", inLog: true)
    let last = try #require(records.max { device.number($0 << 12 + 16) < device.number($1 << 12 + 16) })
    device.flip(last << 12 + 20, 1)
    #expect(FileSystemCheck.run(device) == [])
    try ExtentFileSystem.mount(device).unmount()
  }

  @Test(arguments: MetadataMode.allCases)
  func aDamagedExtentBlockIsItsFilesAlone(mode: MetadataMode) throws {
    let device = try SampleImage.make(mode, isUnmounted: true)
    for block in try device.blocks("FLEX") { device.flip(block << 12 + 60, 1) }
    let fs = try ExtentFileSystem.mount(device)
    #expect(errno { _ = try fs.open("pieces") } == .EUCLEAN)
    #expect(try fs.open("d/e/text").read(at: 4090, count: 99) == SampleImage.text)
    try fs.unmount()
    #expect(
      FileSystemCheck.run(device).contains { if case .damagedInode = $0 { true } else { false } })
  }

  @Test(arguments: MetadataMode.allCases)
  func aDamagedDirectoryBlockHidesWhatIsInItAndNothingElse(mode: MetadataMode) throws {
    let device = try SampleImage.make(mode, isUnmounted: true)
    let (block, others) = try directoryBlock(of: "d", device)
    device.flip(block << 12 + 50, 1)
    let fs = try ExtentFileSystem.mount(device)
    #expect(errno { _ = try fs.list("d") } == .EUCLEAN)
    #expect(errno { _ = try fs.open("d/e/text") } == .EUCLEAN)
    #expect(try fs.list("/").map(\.name) == others)
    fs.abandon()
    #expect(!FileSystemCheck.run(device).isEmpty)
    let refused = try ExtentFileSystem.mount(device, options: MountOptions(repairs: true))
    expectReadOnly(refused)
  }

  private func directoryBlock(of path: String, _ device: RAMDevice) throws -> (block: UInt64, root: [String]) {
    let fs = try ExtentFileSystem.mount(device, options: MountOptions(readOnly: true))
    defer { fs.abandon() }
    return (try fs.open(path).extentReport()[0].devicePage, try fs.list("/").map(\.name))
  }

  @Test(arguments: [MetadataMode.orderedJournal, .pinnedLog])
  func aDamagedBitmapOrInodeTableMakesReadOnlyUntilRepaired(mode: MetadataMode) throws {
    for magic in ["FLBM", "FLIN", "FLRT"] {
      let device = try SampleImage.make(mode, isUnmounted: true)
      device.flip(try #require(try device.blocks(magic).first) << 12 + 4090, 1)
      #expect(FileSystemCheck.run(device).count > 0)
      let fs = try ExtentFileSystem.mount(device)
      expectReadOnly(fs)
      #expect(try fs.open("d/e/text").read(at: 4090, count: 99) == SampleImage.text)
      fs.abandon()

      try ExtentFileSystem.mount(device, options: MountOptions(repairs: true)).unmount()
      #expect(FileSystemCheck.run(device) == [])
      let again = try ExtentFileSystem.mount(device)
      #expect(again.statistics.damage == nil)
      #expect(try again.open("d/e/text").read(at: 4090, count: 99) == SampleImage.text)
    }
  }

  @Test func aTornRecordWithoutALogLeavesTheOneBefore() throws {
    let device = try RAMDevice(pageCount: 256)
    try ExtentFileSystem.make(on: device, mode: .inPlace)
    let fs = try ExtentFileSystem.mount(device)
    let file = try fs.create("a")
    try file.write(Array("one".utf8), at: 0)
    try file.fsync()
    let before = try device.copy()
    try file.write(Array("two".utf8), at: 8192)
    try file.fsync()
    fs.abandon()
    let table = try #require(try device.blocks("FLIN").first) << 12
    let changed = try #require(
      (table..<table + 4096).last {
        device.bytes.load(fromByteOffset: Int($0), as: UInt8.self)
          != before.bytes.load(fromByteOffset: Int($0), as: UInt8.self)
      })
    device.flip(changed, 0x80)
    let again = try ExtentFileSystem.mount(device)
    #expect(again.statistics.damage == nil)
    #expect(try again.open("a").read(at: 0, count: 9999) == Array("one".utf8))
    try again.unmount()
    #expect(FileSystemCheck.run(device) == [])
  }

  @Test(arguments: MetadataMode.allCases)
  func aFullDeviceRefusesAndGoesOnWhenThereIsRoomAgain(mode: MetadataMode) throws {
    let device = try RAMDevice(pageCount: 128)
    try ExtentFileSystem.make(on: device, mode: mode)
    let fs = try ExtentFileSystem.mount(device)
    let kept = try fs.create("kept")
    try kept.write(Array("kept".utf8), at: 0)
    try kept.fsync()
    let large = try fs.create("large")
    let chunk = [UInt8](repeating: 1, count: 4096)
    #expect(errno { while true { try large.write(chunk, at: large.size) } } == .ENOSPC)
    #expect(errno { try large.change(.allocate, large.size..<large.size + 9 << 12, keepSize: true) } == .ENOSPC)
    #expect(errno { _ = try MappedFileTests.mapForStore(large, 100 << 12..<101 << 12) } == .ENOSPC)
    try large.fsync()
    large.close()
    try fs.unlink("large")
    try kept.write(chunk, at: 4096)
    try kept.fsync()
    try fs.unmount()
    #expect(FileSystemCheck.run(device) == [])
    #expect(try ExtentFileSystem.mount(device).open("kept").read(at: 0, count: 4) == Array("kept".utf8))
  }
}
