import FaultlineFS
import Testing

/// Whatever is done to it, a file system holds what a plain model holds, and what was committed survives.
@Suite struct RandomOperationTests {
  @Test(arguments: [1, 2, 3, 4])
  func theFileSystemHoldsWhatItsModelHolds(seed: UInt64) throws {
    var operations = try RandomOperations(seed: seed, mode: .orderedJournal, pages: seed % 2 == 0 ? 256 : 2048)
    try operations.run(2500, checkingEvery: 100)
  }
}
