#if DEBUG || ModelCheck

  /// Faults that can be put into the file system on purpose, to prove that a checker of crashes sees them. Release builds have no
  /// trace of them.
  public enum FileSystemBug: String, CaseIterable, Sendable {
    /// A file's commit waits for the transaction before its own.
    case commitsWrongTransaction
    /// A transaction is announced as committed before it is written.
    case announcesCommitEarly
    /// Whether a file is dirty is looked at before blocks are allocated.
    case testsDirtyBeforeAllocating
    /// A commit of what another thread is committing does not wait for it.
    case skipsWaitForCommitting
    /// Blocks count as written before their zeroes are durable.
    case writtenBeforeZeroed
    /// The copies of a transaction are not flushed before its commit record.
    case skipsFlushBeforeRecord
    /// Metadata are written home before their transaction has committed.
    case writesHomeBeforeCommit
    /// Blocks that were given up are used again before that is durable.
    case reusesFreedBlocksEarly
    /// The first transaction after a recovery has the number of one that lies in the log.
    case recoveryKeepsSequence
  }

  /// The switches of one file system.
  public struct FileSystemBugs: Sendable {
    private let bugs: Set<FileSystemBug>

    public init(_ bugs: Set<FileSystemBug> = []) { self.bugs = bugs }

    func has(_ bug: FileSystemBug) -> Bool { bugs.contains(bug) }
  }

#endif
