import Glibc
import Testing

@testable import FaultlineWhatIf

/// A file name of its own for one test, removed at the end.
final class ScratchFile: Sendable {
  let path: String

  init(_ name: String = "scratch") {
    path = "\(scratchDirectory())/faultline-\(name)-\(getpid())-\(UInt32.random(in: 0 ... .max))"
  }

  deinit { unlink(path) }

  func write(_ bytes: [UInt8]) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    defer { close(descriptor) }
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + done, bytes.count - done) }
      guard count > 0 else { return }
      done += count
    }
  }

  func read() -> [UInt8] {
    let descriptor = open(path, O_RDONLY)
    defer { close(descriptor) }
    var status = stat()
    fstat(descriptor, &status)
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    return count == bytes.count ? bytes : []
  }
}

/// On a disk where there is one: a RAM file system has no readahead and no cold pages.
private func scratchDirectory() -> String { access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp" }

private let everyEvent: [TraceEvent] = [
  .commandLine(["prog", "", "an argument of more than eight bytes", "ünïcode"]),
  .environment(TraceEnvironment(kernelRelease: "6.18.1", machine: "x86_64", userID: 1000, kernelFaultsVisible: false)),
  .task(TraceTask(index: 0, threadID: 11, processID: 10, process: 0, name: "main")),
  .fork(parent: 0, child: 1), .exec(process: 2, path: "/bin/true"), .taskExit(status: -1), .processEnd(process: 1),
  .file(
    TraceFile(
      id: 0, path: "/data", bytes: 1 << 40, device: 5, inode: 6, isOwnedOrWritable: true,
      resident: [TraceRun(page: 0, pages: 4), TraceRun(page: 9, pages: 1)], fileSystem: "ext4", readAheadKB: 128)),
  .file(
    TraceFile(
      id: 1, path: "/other", bytes: 0, device: 5, inode: 7, isOwnedOrWritable: false, resident: nil, fileSystem: "",
      readAheadKB: nil)),
  .map(
    TraceMapping(
      range: TraceRange(process: 0, page: 0x7_FFFF_7000, pages: 16), protection: [.read, .write], flags: 0x8002,
      file: 0,
      filePage: 3, isText: false)),
  .unmap(TraceRange(process: 0, page: 1, pages: 2)),
  .remap(process: 0, page: 1, pages: 2, newPage: 3, newPages: 4),
  .protect(TraceRange(process: 0, page: 1, pages: 2), protection: .read),
  .advise(TraceRange(process: 0, page: 1, pages: 2), advice: 1),
  .populate(TraceRange(process: 0, page: 1, pages: 2), how: .lockOnFault),
  .sync(TraceRange(process: 0, page: 1, pages: 2), flags: 4),
  .fileAdvise(file: 0, offset: 1, length: 2, advice: 4), .readahead(file: 0, offset: 3, length: 4),
  .truncate(file: 0, bytes: 9), .allocate(file: 0, mode: 3, offset: 1, length: 2),
  .fileRead(file: 0, offset: 1, length: 2), .fileRead(file: 0, offset: 1, length: 2, openFile: 3),
  .scan(
    TraceScan(
      range: TraceRange(process: 0, page: 1, pages: 9), present: 6, touches: 3, untimed: 2, inherited: 1, gone: 4)),
  .lost(7), .warning("something"), .end(.killed(signal: 9)), .end(.exited(code: 3)),
]

@Suite struct TraceTests {
  @Test func everyRecordReadsBackAsItWasWritten() throws {
    let file = ScratchFile()
    let writer = try TraceWriter(path: file.path, start: 77, pageSize: 4096, coarse: true)
    let touch = TraceTouch(kind: .untimed, access: .execute, task: 0, page: 0x7_FFFF_FFFF, time: 99)
    for (index, event) in everyEvent.enumerated() { writer.write(event, task: 0, time: UInt64(index)) }
    writer.write(touch)
    try writer.finish()

    let trace = try Trace(path: file.path)
    #expect(trace.isCoarse && trace.start == 77 && trace.pageSize == 4096)
    #expect(trace.touches == 1 && trace.untimed == 1 && trace.warnings == ["something"])
    var cursor = trace.makeCursor()
    for (index, event) in everyEvent.enumerated() {
      #expect(cursor.nextTouch() == nil)
      #expect(cursor.nextRecord() == TraceRecord(time: UInt64(index), task: 0, event: event))
    }
    #expect(cursor.nextRecord() == nil)
    #expect(cursor.nextTouch() == touch)
    #expect(cursor.isAtEnd)
  }

  @Test func aTraceCutAnywhereIsReadUpToTheCut() throws {
    let file = ScratchFile()
    let whole = try exampleTrace(file, touches: 20)
    for length in stride(from: TraceFormat.headerBytes + 1, to: whole.count, by: 7) {
      file.write(Array(whole[..<length]))
      do {
        let trace = try Trace(path: file.path)
        #expect(trace.warnings.count == 1, "cut at \(length)")
        #expect(trace.recordBytes <= length - TraceFormat.headerBytes)
      } catch {
        #expect(error == .empty(path: file.path), "cut at \(length)")
        #expect(length < 200)
      }
    }
  }

  @Test func damageNeverTraps() throws {
    let file = ScratchFile()
    let whole = try exampleTrace(file, touches: 5)
    for index in 0..<whole.count {
      for value: UInt8 in [0, 7, 0x7F, 0xFF] {
        var broken = whole
        broken[index] = value
        file.write(broken)
        guard let trace = try? Trace(path: file.path) else { continue }
        var cursor = trace.makeCursor()
        var seen = 0
        while !cursor.isAtEnd {
          if cursor.nextTouch() == nil, cursor.nextRecord() == nil { break }
          seen += 1
        }
        #expect(seen <= whole.count / 16)
      }
    }
  }

  @Test func whatIsNoTraceSaysSo() throws {
    let file = ScratchFile()
    #expect(throws: TraceError.unreadable(path: file.path, errno: ENOENT)) { try Trace(path: file.path) }
    file.write([])
    #expect(throws: TraceError.empty(path: file.path)) { try Trace(path: file.path) }
    file.write(Array(repeating: 65, count: 5000))
    #expect(throws: TraceError.notATrace(path: file.path)) { try Trace(path: file.path) }
    var other = try exampleTrace(file, touches: 1)
    other[8] = 2
    file.write(other)
    #expect(throws: TraceError.otherVersion(path: file.path, found: 2)) { try Trace(path: file.path) }
    #expect(throws: TraceError.unreadable(path: "/", errno: EISDIR)) { try Trace(path: "/") }
  }

  private func exampleTrace(_ file: ScratchFile, touches: Int) throws -> [UInt8] {
    let writer = try TraceWriter(path: file.path, start: 0, pageSize: 4096)
    writer.write(everyEvent[0], task: 0, time: 0)
    writer.write(everyEvent[2], task: 0, time: 0)
    for index in 0..<touches {
      writer.write(TraceTouch(kind: .timed, access: .read, task: 0, page: UInt64(index), time: UInt64(index)))
    }
    writer.write(.end(.exited(code: 0)), task: 0, time: 100)
    try writer.finish()
    return file.read()
  }
}
