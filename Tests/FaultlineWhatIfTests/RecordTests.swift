import Glibc
import Testing

@testable import FaultlineWhatIf

/// One recording and its trace.
private struct Recorded {
  var summary: RecordSummary
  var content: TraceContent

  init(_ command: [String], _ change: (inout Recorder.Options) -> Void = { _ in }) throws {
    let file = ScratchFile("trace")
    var options = Recorder.Options()
    change(&options)
    summary = try Recorder(options: options).record(command, output: file.path)
    content = try TraceContent(file.path)
  }

  /// `touches + untimed + inherited = present` at every scan, and nothing was lost.
  func isAccounted() -> Bool {
    !content.scans.isEmpty && content.scans.allSatisfy { $0.present == $0.touches + $0.untimed + $0.inherited }
      && summary.lost == 0
  }
}

@Suite(.serialized) struct RecordTests {
  private let pages = 1000
  private let data = ScratchFile.filled(pages: 1000)

  @Test(arguments: TouchOrder.allCases) func everyFirstTouchIsInTheTraceOnceAndInOrder(order: TouchOrder) throws {
    let run = try Recorded([toucher, data.path, "order=\(order.rawValue)"])
    let mapping = try #require(run.content.mappings(of: data.path).first)
    var seen: Set<Int> = []
    let wanted = order.pages(of: pages).filter { seen.insert($0).inserted }
    #expect(run.content.filePages(in: mapping).map { Int($0.page) } == wanted)
    #expect(run.content.filePages(in: mapping).allSatisfy { !$0.touch.isUntimed && $0.touch.access == .read })
    #expect(run.summary.end == .exited(code: 0))
    #expect(run.isAccounted())
  }

  @Test func theFileIsDescribedAsItWasBefore() throws {
    data.drop()
    let run = try Recorded([toucher, data.path, "order=random"])
    let file = try #require(run.content.file(data.path))
    #expect(file.bytes == UInt64(pages * 4096) && file.isOwnedOrWritable && file.resident == [])
    let again = try Recorded([toucher, data.path, "pages=1"])
    #expect(again.content.file(data.path)?.resident?.isEmpty == false)
  }

  @Test func pagesThatASystemCallTouchedAreUntimed() throws {
    let output = ScratchFile("output")
    output.write([])
    let run = try Recorded(["/bin/sh", "-c", "'\(toucher)' '\(data.path)' copy=300 > '\(output.path)'"]) {
      $0.recordsKernelFaults = false
    }
    let mapping = try #require(run.content.mappings(of: data.path).first)
    let touched = run.content.filePages(in: mapping)
    #expect(touched.map { Int($0.page) } == Array(0..<300))
    #expect(touched.allSatisfy { $0.touch.isUntimed })
    #expect(run.isAccounted())
    #expect(output.read().count == 300 * 4096)
  }

  @Test(arguments: ["shared", "private"]) func storesAreWrites(share: String) throws {
    let run = try Recorded([toucher, data.path, "access=write", "share=\(share)"])
    let mapping = try #require(run.content.mappings(of: data.path).first)
    let touched = run.content.filePages(in: mapping)
    #expect(touched.map { Int($0.page) } == Array(0..<pages))
    #expect(touched.allSatisfy { $0.touch.access == .write && !$0.touch.isUntimed })
    #expect(run.isAccounted())
  }

  @Test func threadsShareTheirProcess() throws {
    let run = try Recorded([toucher, data.path, "order=shuffled", "threads=4"])
    let mapping = try #require(run.content.mappings(of: data.path).first)
    let touched = run.content.filePages(in: mapping)
    #expect(Set(touched.map(\.page)).count == pages && touched.count == pages)
    #expect(Set(touched.map(\.touch.task)).count == 4)
    #expect(run.isAccounted())
  }

  @Test func aForkedChildTouchesForItself() throws {
    let run = try Recorded([toucher, data.path, "forks=2"])
    let mapping = try #require(run.content.mappings(of: data.path).first)
    let forks = run.content.records.filter { if case .fork = $0.event { true } else { false } }
    #expect(forks.count == 2)
    #expect(run.content.filePages(in: mapping).count == 3 * pages)
    #expect(run.isAccounted())
  }

  @Test func aMovedMappingKeepsItsTouches() throws {
    let run = try Recorded([toucher, data.path, "remap=1", "again=1"])
    let moves = run.content.records.compactMap { record -> (UInt64, UInt64)? in
      if case .remap(_, _, let old, _, let new) = record.event { (old, new) } else { nil }
    }
    #expect(moves.count == 1 && moves.first?.0 == UInt64(pages) && moves.first?.1 == UInt64(pages))
    let mapping = try #require(run.content.mappings(of: data.path).first)
    #expect(run.content.filePages(in: mapping).count == pages)
    #expect(run.isAccounted())
  }

  @Test func requestsToFillAheadAreRecordedAndHeldBack() throws {
    let run = try Recorded([toucher, data.path, "order=random", "populate=1", "lock=1", "advice=22"])
    let mapping = try #require(run.content.mappings(of: data.path).first)
    let how = run.content.records.compactMap { if case .populate(_, let how) = $0.event { how } else { nil } }
    #expect(how == [.mapPopulate, .advisePopulateRead, .lock])
    #expect(mapping.flags & 0x8001 == 0x8001)
    #expect(run.content.filePages(in: mapping).map { Int($0.page) } == TouchOrder.random.pages(of: pages))
  }

  @Test func theProgramsAdviceIsInTheTrace() throws {
    let run = try Recorded([toucher, data.path, "order=random", "advice=1"])
    let mapping = try #require(run.content.mappings(of: data.path).first)
    #expect(run.content.records.contains { $0.event == .advise(mapping.range, advice: 1) })
  }

  @Test func readsOfAMappedFileAreInTheTrace() throws {
    let run = try Recorded([toucher, data.path, "order=random", "reads=3"])
    let file = try #require(run.content.file(data.path))
    let reads = run.content.records.compactMap { record -> [UInt64]? in
      if case .fileRead(file.id, let offset, let length, _) = record.event { [offset, length] } else { nil }
    }
    #expect(reads == [[0, 4096], [8192, 4096], [16384, 4096]])
  }

  @Test func readsBeforeTheMappingAreInTheTraceBeforeIt() throws {
    let run = try Recorded([toucher, data.path, "order=random", "early=2"])
    let file = try #require(run.content.file(data.path))
    let calls = run.content.records.compactMap { record -> String? in
      switch record.event {
      case .fileRead(file.id, let offset, let length, _): "read \(offset) \(length)"
      case .map(let mapping) where mapping.file == file.id: "map"
      default: nil
      }
    }
    #expect(calls == ["read 0 4096", "read 8192 4096", "map"])
  }

  @Test(arguments: ["early=1", "peek=1"]) func everyOpenOfAFileHasANumberOfItsOwn(option: String) throws {
    let run = try Recorded([toucher, data.path, "order=random", option])
    let file = try #require(run.content.file(data.path))
    let mapped = try #require(run.content.mappings(of: data.path).first?.openFile)
    let read = run.content.records.compactMap { record -> Int? in
      if case .fileRead(file.id, _, _, let openFile) = record.event { openFile } else { nil }
    }
    #expect(read.count == 1)
    #expect((read.first == mapped) == (option == "early=1"))
  }

  @Test func aKilledProgramLeavesAWholeTrace() throws {
    let run = try Recorded([toucher, data.path, "kill=9"])
    let mapping = try #require(run.content.mappings(of: data.path).first)
    #expect(run.summary.end == .killed(signal: 9))
    #expect(run.content.filePages(in: mapping).count == pages)
    #expect(run.content.records.last?.event == .end(.killed(signal: 9)))
  }

  @Test func aCoarseTraceSaysSoAndHasTheKernelsOwnFaults() throws {
    let file = ScratchFile("trace")
    var options = Recorder.Options()
    options.isCoarse = true
    _ = try Recorder(options: options).record([toucher, data.path], output: file.path)
    #expect(try Trace(path: file.path).isCoarse)
    let content = try TraceContent(file.path)
    let mapping = try #require(content.mappings(of: data.path).first)
    #expect((1...pages / 8).contains(content.filePages(in: mapping).count))
  }

  @Test func aProgramThatDoesNotStartLeavesNothing() throws {
    let file = ScratchFile("trace")
    #expect(throws: RecordError.cannotRun(program: "no-such-program", errno: ENOENT)) {
      try Recorder().record(["no-such-program"], output: file.path)
    }
    data.write(Array("not a program".utf8))
    chmod(data.path, 0o755)
    #expect(throws: RecordError.cannotRun(program: data.path, errno: ENOEXEC)) {
      try Recorder().record([data.path], output: file.path)
    }
    #expect(access(file.path, F_OK) != 0)
    #expect(throws: RecordError.trace(.unwritable(path: "/no/such/folder", errno: ENOENT))) {
      try Recorder().record([toucher, data.path], output: "/no/such/folder")
    }
  }

  @Test func thirtyTwoBitCodeIsRefusedInOneLine() throws {
    let program = ScratchFile("program")
    program.write(smallestThirtyTwoBitProgram)
    chmod(program.path, 0o755)
    let file = ScratchFile("trace")
    let error = #expect(throws: RecordError.self) { try Recorder().record([program.path], output: file.path) }
    // A kernel without IA-32 emulation does not even start it.
    let refusals: [RecordError] = [
      .unsupported(program: program.path, what: "it runs 32-bit code", remedy: "only 64-bit programs can be followed"),
      .cannotRun(program: program.path, errno: ENOEXEC),
    ]
    #expect(error.map { refusals.contains($0) } == true)
    #expect(access(file.path, F_OK) != 0)
  }
}

/// An ELF file that calls `exit(7)` by `int $0x80`.
private let smallestThirtyTwoBitProgram: [UInt8] = {
  let base: UInt32 = 0x0804_8000
  func bytes(_ words: [UInt32]) -> [UInt8] {
    words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
  }
  let code: [UInt8] = [0xB8, 1, 0, 0, 0, 0xBB, 7, 0, 0, 0, 0xCD, 0x80]
  let identity: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  let header = bytes([0x0003_0002, 1, base + 84, 52, 0, 0, 0x0020_0034, 0x0000_0001, 0])
  let segment = bytes([1, 0, base, base, 96, 96, 5, 0x1000])
  return identity + header + segment + code
}()
