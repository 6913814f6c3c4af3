import FaultlineWhatIf
import Testing

@Suite struct PolicyTests {
  @Test func whatIsNotNamedStaysAsRecorded() throws {
    let policy = try Policy(parsing: "around=16K")
    #expect(policy.madvise == .asRecorded)
    #expect(policy.readahead == .device)
    #expect(policy.faultAroundBytes == 16384)
    #expect(policy.name == "around 16K")
  }

  @Test func everyKeyIsRead() throws {
    let policy = try Policy(parsing: "readahead=128K,madvise=RANDOM,around=64K,name=my index")
    #expect(
      policy
        == Policy(name: "my index", madvise: .random, readahead: .bytes(131_072), faultAroundBytes: 65536))
  }

  @Test(arguments: [("around=0", 4096), ("around=5000", 4096), ("around=48K", 32768), ("around=2M", 2 << 20)])
  func faultAroundRoundsAsTheKernelsKnobDoes(text: String, bytes: UInt64) throws {
    #expect(try Policy(parsing: text).faultAroundBytes == bytes)
  }

  @Test(arguments: [
    ("", PolicyError.Reason.empty, 1),
    ("madvise=random,", .empty, 16),
    ("madvise", .noValue(key: "madvise"), 1),
    ("around=", .noValue(key: "around"), 8),
    ("advice=random", .unknownKey("advice"), 1),
    ("random", .unknownKey("random"), 1),
    ("readahead=4K,madvise=randm", .unknownAdvice("randm"), 22),
    ("around=-1", .notASize("-1"), 8),
    ("readahead=64Q", .notASize("64Q"), 11),
    ("readahead=99999999999999999999G", .notASize("99999999999999999999G"), 11),
    ("around=4M", .tooLarge("4M", limit: 2 << 20), 8),
    ("readahead=2G", .tooLarge("2G", limit: 1 << 30), 11),
    ("around=4K,around=8K", .repeatedKey("around"), 11),
    ("name=a\u{7}b", .unprintableName, 6),
  ])
  func whatIsWrongIsNamedWithItsPlace(text: String, reason: PolicyError.Reason, position: Int) {
    let error = #expect(throws: PolicyError.self) { try Policy(parsing: text) }
    #expect(error?.reason == reason)
    #expect(error?.position == position)
    #expect(error?.description.contains("madvise=random,readahead=128K,around=64K") == true)
  }

  @Test func standardListHasEveryQuestionOnce() {
    let names = Policy.standard(deviceReadaheadBytes: 8 << 20).map(\.name)
    #expect(
      names == [
        "as recorded", "normal", "random", "sequential", "populate", "hugepage", "around 4K", "around 16K",
        "around 512K",
        "around 2M",
        "readahead 0", "readahead 128K", "readahead 4M",
      ])
  }

  @Test func readaheadOfTheDeviceIsNotAskedTwice() {
    let policies = Policy.standard(deviceReadaheadBytes: 128 << 10)
    #expect(!policies.contains { $0.name == "readahead 128K" })
    #expect(Policy.standard(deviceReadaheadBytes: nil).contains { $0.name == "readahead 128K" })
  }

  @Test func onlyWhatLeavesTheMachineAloneIsVerifiable() throws {
    let verifiable = Policy.standard(deviceReadaheadBytes: nil).filter(\.isVerifiable).map(\.name)
    #expect(verifiable == ["as recorded", "normal", "random", "sequential", "hugepage"])
  }

  @Test(arguments: [0, 1, 4096, 5000, 131_072, 4 << 20, 1 << 30, 3 << 29, UInt64.max])
  func sizesReadBackAsTheyWereWritten(bytes: UInt64) {
    #expect(ByteSize.parse(ByteSize.format(bytes)) == bytes)
  }

  @Test(arguments: ["", "K", "1.5K", " 1", "1 K", "0x10", "١٢", "20000000000G"])
  func whatIsNoSizeIsNone(text: String) {
    #expect(ByteSize.parse(text) == nil)
  }
}
