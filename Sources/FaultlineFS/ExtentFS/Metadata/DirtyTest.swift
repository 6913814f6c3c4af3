import Faultline

/// How a kind of file system knows which commit a file needs, and whether it needs one: what is behind `IOMAP_F_DIRTY`.
protocol DirtyTest: AnyObject {
  /// A file's metadata were read from the device.
  func adopt(_ file: ExtentFile, running: UInt64)
  /// A file's metadata have changed in the running transaction.
  func changed(_ file: ExtentFile, dataRelevant: Bool, running: UInt64)
  func isDirty(_ file: ExtentFile, committed: UInt64) -> Bool
  /// The running transaction takes no more changes: what changes from now on is the next one's.
  func sealed()
  /// The sealed transaction is durable.
  func committed()
}

/// ext4's test: a file has the numbers of the transactions that changed it last, and is clean when they have committed.
final class TransactionNumbers: DirtyTest {
  func adopt(_ file: ExtentFile, running: UInt64) {
    // Which transaction wrote it is not known any more: the one that runs is never too early.
    file.syncTransaction = running
    file.datasyncTransaction = running
  }

  func changed(_ file: ExtentFile, dataRelevant: Bool, running: UInt64) {
    file.syncTransaction = running
    if dataRelevant { file.datasyncTransaction = running }
  }

  func isDirty(_ file: ExtentFile, committed: UInt64) -> Bool { file.datasyncTransaction > committed }
  func sealed() {}
  func committed() {}
}

/// XFS's test: a transaction (there: a context of the delayed log) pins the files that it changes, once each however often they change.
/// When the last of them that holds a file is durable the file is unpinned and its numbers are gone: pinned means not durable.
/// Kernel: `li_seq`, `ili_datasync_seq`, `i_pincount`.
final class Pins: DirtyTest {
  private var running: [ExtentFile] = []
  private var committing: [ExtentFile] = []

  func adopt(_ file: ExtentFile, running: UInt64) {}

  func changed(_ file: ExtentFile, dataRelevant: Bool, running context: UInt64) {
    if file.syncTransaction != context {
      file.pins += 1
      running.append(file)
    }
    file.syncTransaction = context
    if dataRelevant { file.datasyncTransaction = context }
  }

  func isDirty(_ file: ExtentFile, committed: UInt64) -> Bool { file.datasyncTransaction != 0 }

  func sealed() {
    committing = running
    running = []
  }

  func committed() {
    for file in committing {
      file.pins -= 1
      guard file.pins == 0 else { continue }
      file.syncTransaction = 0
      file.datasyncTransaction = 0
    }
    committing = []
  }
}
