import FaultlineFS
import Testing

/// Whatever is done to it, a file system holds what a plain model holds, and what was committed survives.
@Suite struct RandomOperationTests {
  @Test(arguments: MetadataMode.allCases, [1, 2, 3, 4])
  func theFileSystemHoldsWhatItsModelHolds(mode: MetadataMode, seed: UInt64) throws {
    var operations = try RandomOperations(seed: seed, mode: mode, pages: seed % 2 == 0 ? 256 : 2048)
    let count = Hunt.count("FAULTLINE_HUNT_OPERATIONS", orElse: 8400) / 12
    try operations.run(count, checkingEvery: 70)
    if count > 1000 { print("\(mode), seed \(seed): \(count) operations, \(operations.report)") }
  }
}
