import Testing

@testable import FaultlineWhatIf

/// First stores on the running kernel, beside those of the engine.
@Suite struct KernelSyncTests {
  @Test(arguments: SyncSetting.Contents.allCases)
  func everyFirstStoreIsTimedAndTheFileIsGone(_ contents: SyncSetting.Contents) throws {
    let directory = try TestDirectory()
    do {
      let stage = KernelSyncStage(anywhereIn: directory.path)
      let latencies = try stage.round(contents, isSynchronous: false)
      #expect(latencies.count == SyncSetting.pages && latencies.least > 0)
    }
    #expect(directory.names == [])
  }

  @Test func aDirectoryWithoutPersistentMemoryIsNoStage() throws {
    let directory = try TestDirectory()
    // Where this machine has some, the stage is one.
    if let stage = KernelSyncStage(directory: directory.path) {
      #expect(try stage.round(.empty, isSynchronous: true).count == SyncSetting.pages)
    }
    #expect(directory.names == [])
    #expect(throws: SyncBenchError.self) {
      try KernelSyncStage(anywhereIn: "/no/such/directory").round(.empty, isSynchronous: false)
    }
  }
}
