import Faultline
import FaultlineFS
import Foundation
import Testing

/// Devices in memory, on files, and under a recorder.
@Suite struct DeviceTests {
  @Test func instructionsChangeNoByte() throws {
    let device = try RAMDevice(pageCount: 2, usesInstructions: true)
    #expect(device.usesInstructions == (FlushInstruction.ofThisProcessor != nil))
    device.put([1, 2, 3], at: 4094)
    try device.persist(4094..<4097)
    device.flush(0..<0)
    device.flush(8191..<8192)
    #expect(device.read(4093..<4098) == [0, 1, 2, 3, 0])
  }

  @Test func aRangeTouchesEveryLineOfIt() {
    #expect(CacheLine.lines(of: 0..<0).isEmpty)
    #expect(CacheLine.lines(of: 100..<100).isEmpty)
    #expect(CacheLine.lines(of: 63..<65) == 0..<2)
    #expect(CacheLine.lines(of: 64..<128) == 1..<2)
  }

  @Test func whatWasFencedIsInTheFile() throws {
    let path = scratchPath()
    defer { unlink(path) }
    do {
      let device = try FileDevice(creating: path, pageCount: 3)
      #expect(device.pageCount == 3)
      #expect(device.isSynchronous == device.isHostSynchronous)
      device.put([7, 8], at: 8191)
      device.zero(0..<10)
      try device.persist(8191..<8193)
    }
    let device = try FileDevice(path, isSynchronous: true)
    #expect(device.isSynchronous)
    #expect(device.read(8190..<8194) == [0, 7, 8, 0])
    let file = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(file.count == 3 * 4096)
    #expect(file[8191...8192].elementsEqual([7, 8]))
  }

  @Test func aFileIsOneDeviceAtATime() throws {
    let path = scratchPath()
    defer { unlink(path) }
    let device = try FileDevice(creating: path, pageCount: 1)
    #expect(try refusal(path) == .inUse)
    #expect(try refusal(path, access: .inspect) == .inUse)
    withExtendedLifetime(device) {}
    #expect(throws: DeviceFileError.self) { try FileDevice(creating: path, pageCount: 1) }
  }

  @Test func inspectorsShareAFileAndLeaveItAlone() throws {
    let path = scratchPath()
    defer { unlink(path) }
    do { try FileDevice(creating: path, pageCount: 1).persist(0..<1) }
    let one = try FileDevice(path, access: .inspect)
    let other = try FileDevice(path, access: .inspect)
    one.put([9], at: 0)
    try one.persist(0..<1)
    #expect(one.read(0..<1) == [9])
    #expect(other.read(0..<1) == [0])
    #expect(try refusal(path) == .inUse)
  }

  @Test func whatIsNoDeviceIsRefused() throws {
    let path = scratchPath()
    defer { unlink(path) }
    #expect(try refusal(path) == .refused)
    #expect(try refusal("/tmp") != nil)
    #expect(try refusal("/tmp", access: .inspect) == .notAFile)
    for size in [0, 1, 4095, 4097] {
      try Data(count: size).write(to: URL(fileURLWithPath: path))
      #expect(try refusal(path) == .notWholePages, "\(size) bytes")
    }
    #expect(try refusal(path, access: .inspect) == .notWholePages)
  }

  @Test func noFileIsLeftOfADeviceThatCannotBeMade() throws {
    let path = scratchPath()
    for pages in [0, UInt64.max, 1 << 50] {
      #expect(throws: DeviceFileError.self) { try FileDevice(creating: path, pageCount: pages) }
      #expect(access(path, F_OK) != 0, "\(pages) pages")
    }
  }

  @Test func aFenceFailsOnceTheFileIsShorter() throws {
    let path = scratchPath()
    defer { unlink(path) }
    let device = try FileDevice(creating: path, pageCount: 4)
    guard !device.isHostSynchronous else { return }
    device.put([1], at: 0)
    device.put([1], at: 3 * 4096)
    device.flush(0..<1)
    device.flush(3 * 4096..<3 * 4096 + 1)
    #expect(truncate(path, 4096) == 0)
    #expect(throws: DeviceError.self) { try device.fence() }
    // Restored: but what the medium has, nobody knows.
    #expect(truncate(path, 4 * 4096) == 0)
    #expect(throws: DeviceError.self) { try device.fence() }
  }

  @Test func fencesOfManyThreadsWaitForTheirOwnPages() async throws {
    let path = scratchPath()
    defer { unlink(path) }
    let device = try FileDevice(creating: path, pageCount: 64)
    await withTaskGroup(of: Void.self) { group in
      for thread in 0..<4 {
        group.addTask {
          for round in 0..<8 {
            let offset = UInt64(round * 4 + thread) * 4096
            device.put([UInt8(thread + 1)], at: offset)
            do { try device.persist(offset..<offset + 1) } catch { Issue.record(error) }
          }
        }
      }
    }
    for page in 0..<32 {
      #expect(device.read(UInt64(page) * 4096..<UInt64(page) * 4096 + 1) == [UInt8(page % 4 + 1)])
    }
  }

  @Test func aRecordingHasEverythingInItsOrder() throws {
    let device = try RecordingDevice(pageCount: 3)
    device.put([5], at: 4096)
    #expect(device.end() == nil)
    device.begin()
    device.put([1, 2], at: 10)
    device.zero(64..<128)
    device.flush(10..<12)
    device.note(.operation("now"))
    try device.fence()
    device.flush(0..<0)
    let recording = try #require(device.end())
    #expect(
      recording.events == [
        .store(10..<12, data: 0), .store(64..<128, data: nil), .flush(10..<12, thread: 0), .note(.operation("now")),
        .fence(thread: 0),
      ])
    #expect(recording.data == [1, 2])
    let copy = try RAMDevice(pageCount: 3)
    recording.start.restore(on: copy)
    #expect(copy.read(4095..<4098) == [0, 5, 0])
    #expect(copy.read(10..<12) == [0, 0])
    #expect(device.read(10..<12) == [1, 2])
    #expect(recording.start == DeviceImage(of: copy))
  }
}

private func scratchPath() -> String {
  FileManager.default.temporaryDirectory.appendingPathComponent("device-\(UUID().uuidString)").path
}

/// Why a file is no device, if it is none.
private func refusal(_ path: String, access: FileDevice.Access = .readWrite) throws -> DeviceFileError.Code? {
  do {
    _ = try FileDevice(path, access: access)
    return nil
  } catch {
    return error.code
  }
}

extension DAXDevice {
  fileprivate func put(_ values: [UInt8], at offset: UInt64) { values.withUnsafeBytes { store($0, at: offset) } }

  fileprivate func read(_ range: Range<UInt64>) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: bytes + Int(range.lowerBound), count: range.count))
  }
}
