import Testing

@testable import FaultlineCheck

@Suite struct RecordingTests {
  private func recording(_ lines: String...) throws -> Recording {
    try Recording(parsing: ([#"{"op":"env","kernel":"x","read_ahead_kb":128}"#] + lines).joined(separator: "\n"))
  }

  @Test(arguments: Recordings.recordings)
  func readingAndWritingARecordingGivesItsBytes(name: String) throws {
    let text = try Recordings.text(name + ".jsonl")
    let recording = try Recording(parsing: text)
    let written = ([recording.environment] + recording.results).map { $0.description + "\n" }.joined()
    #expect(written == text)
  }

  @Test func equalRecordingsHaveNoDifferences() throws {
    let one = try recording(#"{"i":4,"op":"read M0 1","minflt":1}"#)
    #expect(RecordingComparison(expected: one, actual: one).differences.isEmpty)
  }

  @Test func everyChangedFieldIsSeen() throws {
    let text = try Recordings.text("s_fa_write_private_a.tmpfs.jsonl")
    let original = try Recording(parsing: text)
    for (index, result) in original.results.enumerated() {
      guard case .object(let members) = result else { continue }
      for (position, member) in members.enumerated() where member.key != "ev" {
        var changed = members
        changed[position].value = .string("changed")
        var other = original
        other.results[index] = .object(changed)
        let fields = RecordingComparison(expected: original, actual: other).differences.map(\.field)
        #expect(fields == [member.key])
      }
    }
  }

  @Test func aDifferenceNamesLineOperationAndPath() throws {
    let expected = try recording(#"{"i":4,"op":"read M0 1","maps":{"M0":{"pres":[[0,4,"F"],[5,3,"F"]]}}}"#)
    let actual = try recording(#"{"i":4,"op":"read M0 1","maps":{"M0":{"pres":[[0,4,"F"],[5,4,"F"]]}}}"#)
    let differences = RecordingComparison(expected: expected, actual: actual).differences
    #expect(
      differences.map(\.description) == [
        #"line 4: read M0 1: maps.M0.pres[1]: expected [5,3,"F"], got [5,4,"F"]"#
      ])
  }

  @Test func missingAndAddedFieldsAndLinesAreDifferences() throws {
    let expected = try recording(#"{"i":4,"op":"read M0 1","errno":"EIO"}"#, #"{"i":5,"op":"drop F0"}"#)
    let actual = try recording(#"{"i":4,"op":"read M0 1","signal":"SIGBUS"}"#)
    let fields = RecordingComparison(expected: expected, actual: actual).differences.map(\.field)
    #expect(fields == ["errno", "signal", "the whole line"])
  }

  @Test func traceEventsAndNamedFieldsAreLeftOut() throws {
    let expected = try recording(#"{"i":4,"op":"read M0 1","minflt":1,"ev":["uf:M0:1:0x4"]}"#)
    let actual = try recording(#"{"i":4,"op":"read M0 1","minflt":2}"#)
    #expect(RecordingComparison(expected: expected, actual: actual).differences.map(\.field) == ["minflt"])
    let ignored = RecordingComparison.unprinted.union(["minflt"])
    #expect(RecordingComparison(expected: expected, actual: actual, ignoring: ignored).differences.isEmpty)
  }

  @Test func fieldsInsideOthersAreLeftOutByTheirPathAndThoseBehindAreNot() throws {
    let expected = try recording(
      #"{"i":4,"op":"smaps M0","smaps":[{"Rss":4,"Referenced":4},{"Rss":8,"Referenced":8}]}"#)
    let actual = try recording(#"{"i":4,"op":"smaps M0","smaps":[{"Rss":4,"Referenced":0},{"Rss":4,"Referenced":4}]}"#)
    let fields = { (ignored: Set<String>) in
      RecordingComparison(expected: expected, actual: actual, ignoring: ignored).differences.map(\.field)
    }
    #expect(fields([]) == ["smaps[0].Referenced"])
    #expect(fields(RecordingComparison.unsteadyWithDAX) == ["smaps[1].Rss"])
    #expect(fields(["smaps.Rss", "smaps.Referenced"]) == [])
  }

  @Test func severalTriesAtOneByteFoldIntoOne() throws {
    let original = try recording(
      #"{"i":4,"op":"syswrite M0","ev":["kf:M0:8:0x0","kf:M0:8:0x0","uf:M0:1:0x4","uf:M0:1:0x4"]}"#)
    let folded = try recording(#"{"i":4,"op":"syswrite M0","ev":["kf:M0:8:0x0","uf:M0:1:0x4","uf:M0:1:0x4"]}"#)
    #expect(original.foldingRepeatedFaults == folded)
  }

  @Test(arguments: [
    "", "{", "[1]", #"{"op":"env"} x"#, #"{"op":"env","x":1.5}"#, #"{"op":"env","x":"\u12"}"#, #"{"op":"env","x":"#,
    #"{"op":"env","x":99999999999999999999}"#, #"{"op":"envy"}"#,
  ])
  func garbageIsAnErrorWithALine(text: String) {
    #expect(throws: RecordingError.self) { try Recording(parsing: text) }
  }

  @Test func deepNestingIsAnErrorAndNotACrash() {
    let deep = #"{"op":"env","x":"# + String(repeating: "[", count: 100_000)
    #expect(throws: RecordingError.self) { try Recording(parsing: deep) }
  }
}
