import Glibc
import Testing

@testable import FaultlineWhatIf

/// The figures hold on a file system with a disk below it; elsewhere nothing can be dropped and the cold cases say so.
@Suite(.serialized) struct MeasureTests {
  private let pages = 4096
  private let data = ScratchFile.filled(pages: 4096)

  private func measure(
    _ order: TouchOrder, _ advice: KernelRun.Advice?, _ cache: KernelRun.Cache, _ more: [String] = []
  ) throws -> KernelMeasurement {
    try KernelRun(
      command: [toucher, data.path, "order=\(order.rawValue)"] + more, files: [data.path], advice: advice, cache: cache
    ).measure()
  }

  @Test func randomAdviceReadsWhatIsTouchedAndNothingElse() throws {
    let touched = TouchOrder.random.pages(of: pages).count
    let result = try measure(.random, .random, .cold)
    #expect(result.majorFaults == touched && result.minorFaults == 0)
    #expect(result.pagesCached == touched && result.readBytes == touched * 4096)
    #expect(result.processReadBytes >= result.readBytes)
    #expect(result.end == .exited(code: 0))
  }

  @Test func normalAdviceReadsAround() throws {
    let result = try measure(.sequential, .normal, .cold)
    #expect(result.majorFaults >= 1 && result.majorFaults < pages / 8)
    #expect(result.pagesMapped == pages && result.pagesCached == pages && result.readBytes == pages * 4096)
  }

  @Test func pagesThatAreOnTheirWayWhenTheProgramEndsCount() throws {
    let runs = try (0..<10).map { _ in try measure(.sequential, .normal, .cold, ["pages=1"]).pagesCached }
    // A machine that is short of memory may take pages back in between; then a run has fewer, never more.
    let most = try #require(runs.max())
    #expect(runs.filter { $0 == most }.count >= 6, "\(runs)")
  }

  @Test func aWarmRunReadsNothing() throws {
    let result = try measure(.sequential, nil, .warm)
    #expect(result.majorFaults == 0 && result.readBytes == 0 && result.pagesCached == pages)
    #expect(result.minorFaults > 0 && result.minorFaults <= pages)
  }

  @Test func forcedAdviceOverridesTheProgramsOwn() throws {
    let touched = TouchOrder.random.pages(of: pages).count
    #expect(try measure(.random, .random, .cold, ["advice=0"]).readBytes == touched * 4096)
    #expect(try measure(.random, nil, .cold, ["advice=1"]).readBytes == touched * 4096)
  }

  @Test func aFileThatCannotBeSeenIsRefused() throws {
    #expect(throws: RecordError.cacheState(path: "/no/such", what: "cannot be opened: No such file or directory")) {
      try KernelRun(command: [toucher], files: ["/no/such"]).measure()
    }
  }

  @Test func aProgramThatDoesNotStartIsAnError() throws {
    #expect(throws: RecordError.cannotRun(program: "no-such-program", errno: ENOENT)) {
      try KernelRun(command: ["no-such-program"], files: []).measure()
    }
  }
}
