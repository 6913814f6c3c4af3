import Glibc
import Testing

@testable import FaultlineWhatIf

@Suite(.serialized) struct RecordTests {
  @Test func everyFirstTouchIsInTheTraceOnceAndInOrder() throws {
    let data = ScratchFile.filled(pages: 2000)
    let trace = ScratchFile("trace")
    let summary = try Recorder().record([toucher, data.path, "order=shuffled"], output: trace.path)
    let content = try TraceContent(trace.path)
    let mapping = try #require(content.mappings(of: data.path).first)
    #expect(summary.end == .exited(code: 0) && summary.lost == 0)
    #expect(content.filePages(in: mapping).map { Int($0.page) } == TouchOrder.shuffled.pages(of: 2000))
    #expect(content.filePages(in: mapping).allSatisfy { !$0.touch.isUntimed && $0.touch.access == .read })
  }
}
