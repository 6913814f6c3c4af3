import Testing

@testable import FaultlineCheck

@Suite struct ScriptTests {
  private func operation(_ text: String) throws -> FaultlineCheck.Operation {
    try #require(try OperationScript(parsing: text).lines.first).operation
  }

  private func error(_ text: String) -> ScriptError? {
    do throws(ScriptError) {
      _ = try OperationScript(parsing: text)
      return nil
    } catch {
      return error
    }
  }

  @Test func pagesTakeBytesAddedOrTakenOff() throws {
    #expect(try operation("trunc F0 10") == .truncate(file: "F0", size: 40960))
    #expect(try operation("trunc F0 10+100") == .truncate(file: "F0", size: 41060))
    #expect(try operation("trunc F0 10-1") == .truncate(file: "F0", size: 40959))
    #expect(try operation("trunc F0 0x10") == .truncate(file: "F0", size: 65536))
    #expect(try operation("trunc F0 -1") == .truncate(file: "F0", size: UInt64(bitPattern: -4096)))
  }

  @Test func aLineKeepsItsNumberAndItsTextWithoutTheComment() throws {
    let script = try OperationScript(parsing: "# head\n\n  read M0 3   # the third\n")
    #expect(script.lines.map(\.number) == [3])
    #expect(script.lines.map(\.text) == ["read M0 3"])
  }

  @Test func aReadLooksAtThePagesStartAndAWriteSparesIt() throws {
    #expect(
      try operation("read M0 3")
        == .access(AccessRequest(kind: .read, mapping: "M0", page: 3, offset: 0, value: Pattern.splitmix(3))))
    #expect(
      try operation("write M0 3 val=0xff")
        == .access(AccessRequest(kind: .write, mapping: "M0", page: 3, offset: 64, value: 255)))
  }

  @Test func mappingFlagsMayBeNumbersBeyondThirtyTwoBits() throws {
    guard case .map(let request) = try operation("mmap E4 F0 0 4 rw shared_validate,0x4000000000 at=512") else {
      Issue.record("no mmap")
      return
    }
    #expect(request.flags == 0x40_0000_0003)
    #expect(request.at == 512)
    #expect(request.protection == [.read, .write])
  }

  @Test func theDrawnSequenceIsTheGenerators() throws {
    guard case .touch(let request) = try operation("touchrand M0 r 100 10 3 42") else {
      Issue.record("no touch")
      return
    }
    var state: UInt64 = 42
    let expected = (0..<3).map { _ -> Int64 in
      state = Pattern.splitmix(state)
      return 100 + Int64(state % 10)
    }
    #expect(request.pages == expected)
    #expect(request.isDrawn)
  }

  @Test func aForkHoldsTheLinesUpToItsEnd() throws {
    let script = try OperationScript(parsing: "fork\nread M0 1\nendfork\nread M0 2")
    #expect(script.lines.map(\.number) == [1, 4])
    guard case .fork(let child) = script.lines[0].operation else {
      Issue.record("no fork")
      return
    }
    #expect(child.map(\.number) == [2])
  }

  @Test(arguments: [
    ("\nfrobnicate F0", ScriptError(line: 2, token: "frobnicate", problem: .unknownOperation)),
    ("read M0", ScriptError(line: 1, token: "read", problem: .missing("a page"))),
    ("read M0 3 4", ScriptError(line: 1, token: "4", problem: .unexpected)),
    ("read M0 3 colour=red", ScriptError(line: 1, token: "colour=red", problem: .unexpected)),
    ("read M0 three", ScriptError(line: 1, token: "three", problem: .wrong(expected: "a page"))),
    ("fork\nfork", ScriptError(line: 2, token: "fork", problem: .nestedFork)),
    ("fork\nread M0 1", ScriptError(line: 1, token: "fork", problem: .forkWithoutEnd)),
    ("endfork", ScriptError(line: 1, token: "endfork", problem: .endWithoutFork)),
    (
      "trunc F0 9223372036854775807",
      ScriptError(line: 1, token: "9223372036854775807", problem: .outOfRange("byte counts have 63 bits"))
    ),
    (
      "touchseq M0 r 0 1000000000",
      ScriptError(
        line: 1, token: "1000000000", problem: .outOfRange("one operation makes at most 65536 accesses"))
    ),
    (
      "touchstride M0 r 0 3 9223372036854775807",
      ScriptError(
        line: 1, token: "9223372036854775807", problem: .outOfRange("page numbers have 63 bits"))
    ),
    ("mprotect M0 0 1 q", ScriptError(line: 1, token: "q", problem: .wrong(expected: "a protection of r, w, x or -"))),
  ])
  func aFaultNamesItsLineAndItsToken(text: String, expected: ScriptError) {
    #expect(error(text) == expected)
  }

  @Test func everyPublicScriptIsInTheLanguage() throws {
    for name in Recordings.scripts {
      #expect(throws: Never.self, "\(name)") { _ = try OperationScript(parsing: Recordings.text(name + ".ops")) }
    }
  }

  @Test func noBytesOfAScriptTrap() {
    var state: UInt64 = 7
    let words = ["mkfile", "mmap", "touchrand", "trunc", "F0", "-1", "0x", "-", "+", "10-", "9999999999999999999", "="]
    for _ in 0..<2000 {
      var text = ""
      for _ in 0..<9 {
        state = Pattern.splitmix(state)
        text += words[Int(state % UInt64(words.count))] + (state & 0x100 == 0 ? " " : "\n")
      }
      _ = error(text)
    }
  }
}
