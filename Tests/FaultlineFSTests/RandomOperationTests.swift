import FaultlineFS
import Testing

/// Whatever is done to it, a file system holds what a plain model holds, and what was committed survives.
@Suite struct RandomOperationTests {
  @Test(arguments: MetadataMode.allCases, [1, 2, 3, 4])
  func theFileSystemHoldsWhatItsModelHolds(mode: MetadataMode, seed: UInt64) throws {
    var operations = try RandomOperations(seed: seed, mode: mode, pages: seed % 2 == 0 ? 256 : 2048)
    try operations.run(700, checkingEvery: 70)
  }
}
