import Faultline

/// How changed metadata become durable: what the three modes do each in its way.
///
/// Everything is called with the file system's monitor held and may give it up to sleep; nothing calls back under it but
/// ``ExtentFileSystem/freeze(_:)``.
protocol MetadataLog: AnyObject {
  /// The transaction that a change made now belongs to.
  var running: UInt64 { get }
  /// The last transaction that is durable.
  var committed: UInt64 { get }
  /// Commits since the mount.
  var commits: UInt64 { get }
  /// What ended all changes, if anything has.
  var failure: KernelError? { get }

  /// Opens a handle; waits for room and for a transaction that takes new ones.
  func begin() throws(KernelError)
  func end()

  /// A file's metadata were read from the device.
  func adopt(_ file: ExtentFile)
  /// A file's metadata have changed inside the open handle.
  func changed(_ file: ExtentFile, dataRelevant: Bool)
  /// Whether fdatasync would have anything to do. Kernel: the test behind `IOMAP_F_DIRTY`.
  func isDirty(_ file: ExtentFile) -> Bool
  /// A file gave up blocks inside the open handle. `wasMetadata` blocks lay in the log perhaps.
  func gaveUp(_ blocks: Range<UInt64>, of file: ExtentFile, wasMetadata: Bool)

  /// Makes durable what a file needs.
  func commit(_ file: ExtentFile, dataOnly: Bool) throws(KernelError)
  /// Makes everything durable and lets every block that was given up be used again.
  func commitAll() throws(KernelError)
  /// Writes everything home and marks the file system clean.
  func close() throws(KernelError)
}

/// Blocks that may be used again once something is durable.
struct GivenUp {
  var blocks: Range<UInt64>
  var wasMetadata: Bool
}
