import Foundation
import Testing

@testable import FaultlineWhatIf

@Suite struct TextTraceTests {
  private let head = "# page-fault trace v1\n# command: demo\n# fault-around: off (firsttouch)\nF 1 64 /data\n"

  private func trace(_ lines: String) throws -> TextTrace {
    let file = try TemporaryTraceFile()
    try (head + lines).write(toFile: file.path, atomically: true, encoding: .utf8)
    return try #require(try TextTrace(path: file.path))
  }

  @Test func aChangedProtectionKeepsThePages() throws {
    let text = try trace(
      """
      X 1 demo
      M 1 1000 32 rw- p 1 0
      f 1 u6 1003 1:3 k m
      M 1 1000 8 r-- p 1 0
      f 1 u4 1003 1:3 k m
      """)
    #expect(try text.imported().faults(order: 0) == 1)
  }

  @Test func aFileMappedOverAnotherPageOfItselfBeginsAnew() throws {
    let text = try trace(
      """
      X 1 demo
      M 1 1000 32 r-- p 1 0
      f 1 u4 1003 1:3 k m
      M 1 1000 8 r-- p 1 8
      f 1 u4 1003 1:b k m
      """)
    #expect(try text.imported().faults(order: 0) == 2)
  }

  @Test func memoryOfNoFileEndsTheMappingBelowIt() throws {
    let text = try trace(
      """
      X 1 demo
      M 1 1000 32 r-- p 1 0
      M 1 1000 32 rw- p - 0
      f 1 u4 1003 1:3 k m
      """)
    #expect(try text.imported().faults(order: 0) == 0)
  }

  @Test func aMovedMappingTakesItsPagesAlong() throws {
    let text = try trace(
      """
      X 1 demo
      M 1 1000 8 r-- p 1 0
      f 1 u4 1003 1:3 k m
      R 1 1000 8 16 2000
      f 1 u4 2003 1:3 k m
      f 1 u4 200c 1:c k m
      """)
    #expect(try text.imported().faults(order: 0) == 2)
  }

  @Test func aChildBeginsWithTheMappingsOfItsParent() throws {
    let text = try trace(
      """
      X 1 demo
      M 1 1000 8 r-- p 1 0
      N 2 1
      f 2 u4 1003 1:3 k m
      Q 2
      """)
    #expect(try text.imported().faults(order: 0) == 1)
  }

  @Test func aFileThatWasGoneAtTheEndIsAsLargeAsItsLastTouch() throws {
    let text = try trace(
      """
      F 2 0 /gone
      X 1 demo
      M 1 1000 8 r-- p 2 0
      f 1 u4 1007 2:7 k m
      """)
    #expect(try text.imported().faults(order: 4) == 1)
  }

  @Test(arguments: [
    "what", "X", "X -1 demo", "M 1 xyz 3 r-- p 1 0", "M 1 1000 3 r-- p 1", "f 1 u4 1003", "U 1 1000 99999999999999",
    "N 1 70000", "A 1 1000 1 99999999999", "R 1 1000 1 1", "F 1 2",
  ])
  func aLineThatIsNoneOfTheFormatIsNamed(_ line: String) throws {
    #expect {
      _ = try trace(line)
    } throws: { error in
      guard case .badLine(_, number: 5) = error as? TextTraceError else { return false }
      return true
    }
  }

  @Test func otherFilesAreNoTextTraces() throws {
    let file = try TemporaryTraceFile()
    #expect(try TextTrace(path: file.path) == nil)
    #expect(throws: TraceError.empty(path: file.path)) { try Trace.load(path: file.path) }
  }

  @Test func addressesAtTheEndOfNumbersDoNotTrap() throws {
    let text = try trace(
      """
      X 1 demo
      M 1 fffffffffffff 1099511627775 r-- p 1 fffffffffffff
      U 1 fffffffffffff 1099511627775
      R 1 fffffffffffff 1 1099511627775 fffffffffffff
      A 1 0 0 4
      f 1 u4 fffffffffffff 1:3f k m
      f 1 u4 ffffffff 1:3f k m
      """)
    #expect(try text.imported().faults(order: 9) == 0)
    #expect(text.placed(as: text).lines == text.lines)
  }
}

@Suite struct InflateTests {
  private func inflate(_ bytes: [UInt8]) -> [UInt8]? {
    var inflate = Inflate(bytes, from: 0, limit: 1 << 20)
    return inflate.run()?.bytes
  }

  @Test func storedAndFixedBlocksUnfold() {
    #expect(inflate([1, 3, 0, 0xFC, 0xFF, 97, 98, 99]) == Array("abc".utf8))
    // "aaaaaaaaaa": one literal, then a copy of itself nine long.
    #expect(inflate([0x4B, 0x84, 0x03, 0x00]) == Array("aaaaaaaaaa".utf8))
  }

  @Test func damageNeverTraps() throws {
    let packed = [UInt8](try Data(contentsOf: URL(fileURLWithPath: RecordedProgram.git.aroundPath)))
    for length in stride(from: 0, to: packed.count, by: 7) { _ = inflate(Array(packed[10...].prefix(length))) }
    for place in stride(from: 10, to: packed.count, by: 3) {
      var damaged = Array(packed[10...])
      damaged[place - 10] ^= 0x55
      _ = inflate(damaged)
    }
    #expect(inflate([7]) == nil)
    #expect(inflate([1, 3, 0, 0, 0, 97, 98, 99]) == nil)
    #expect(inflate([]) == nil)
  }

  @Test func moreThanIsAllowedDoesNotComeOut() {
    var inflate = Inflate([0x4B, 0x84, 0x03, 0x00], from: 0, limit: 9)
    #expect(inflate.run() == nil)
  }

  @Test func aCutFileIsRefused() throws {
    let packed = try Data(contentsOf: URL(fileURLWithPath: RecordedProgram.git.aroundPath))
    let file = try TemporaryTraceFile()
    for length in [12, 19, 1000, packed.count - 1] {
      try packed.prefix(length).write(to: URL(fileURLWithPath: file.path))
      #expect(throws: TextTraceError.damagedGzip(path: file.path)) { try TextTrace(path: file.path) }
    }
  }
}
