import Dispatch
import Faultline
import FaultlineFS
import Testing

/// What a commit promises, to one thread and to several.
@Suite struct CommitTests {
  @Test(arguments: MetadataMode.allCases)
  func aFailedCommitAcknowledgesNothingAndLosesNothing(mode: MetadataMode) throws {
    let device = try FailingDevice(pageCount: 512)
    try ExtentFileSystem.make(on: device, mode: mode)
    let fs = try ExtentFileSystem.mount(device)
    let file = try fs.create("kept")
    try file.write(Array("kept".utf8), at: 0)
    try file.fsync()

    try file.resize(to: 9)
    device.failAfter(fences: 0)
    #expect { try file.fsync() } throws: { ($0 as? KernelError)?.errno == .EIO }
    #expect { try fs.create("refused") } throws: { ($0 as? KernelError)?.errno == .EROFS }
    #expect { try file.beginHandle() } throws: { ($0 as? KernelError)?.errno == .EROFS }
    #expect(fs.statistics.readOnly != nil)
    #expect(try file.read(at: 0, count: 4) == Array("kept".utf8))
    fs.abandon()

    device.failAfter(fences: .max)
    let again = try ExtentFileSystem.mount(device)
    #expect(try again.open("kept").read(at: 0, count: 4) == Array("kept".utf8))
  }

  @Test func aFenceThatFailsWhileBlocksAreZeroedIsTheFaultsErrorAndTakesNoBlocks() throws {
    let device = try FailingDevice(pageCount: 512)
    try ExtentFileSystem.make(on: device, mode: .orderedJournal)
    let fs = try ExtentFileSystem.mount(device)
    let file = try fs.create("a")
    try file.resize(to: 4096)
    try file.fsync()
    let free = fs.statistics.freeBlocks
    device.failAfter(fences: 0)
    #expect { try MappedFileTests.mapForStore(file, 0..<4096) } throws: { ($0 as? KernelError)?.errno == .EIO }
    #expect(fs.statistics.freeBlocks == free)
    #expect(try file.extentReport() == [])
  }

  @Test(arguments: MetadataMode.allCases)
  func threadsThatCommitWhatOthersChangeAllSeeTheirOwnDurable(mode: MetadataMode) throws {
    let fs = try MappedFileTests.fileSystem(pages: 8192, mode: mode)
    let failures = FailureCount()
    DispatchQueue.concurrentPerform(iterations: 4) { thread in
      failures.catching {
        let file = try fs.create("f\(thread)")
        try file.resize(to: 256 << 12)
        for page in 0..<256 as Range<UInt64> {
          let map = try MappedFileTests.mapForStore(file, MappedFileTests.page(page))
          guard map.flags.contains(.dirty) else { throw KernelError(.EINVAL, "a new block is not dirty") }
          try file.commit(dataOnly: true)
        }
      }
    }
    #expect(failures.first == nil)
    #expect(fs.statistics.commits <= 4 * 256 + 8)
    fs.abandon()
    let again = try ExtentFileSystem.mount(fs.device)
    for thread in 0..<4 {
      #expect(try again.open("f\(thread)").extentReport().reduce(0) { $0 + $1.count } == 256)
    }
    #expect(FileSystemCheck.run(fs.device) == [])
  }
}
