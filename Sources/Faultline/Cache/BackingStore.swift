/// Where a file's pages come from and go to: the engine's contract with file systems and stores.
///
/// The engine calls it from any thread that faults, reads ahead or writes back, holding the locks of the folios concerned
/// and nothing else; it may be slow and it may fail, and it must not call back into the engine.
public protocol BackingStore: AnyObject, Sendable {
  /// Fills `buffer` with the contents of the pages from `firstPage` on. What lies beyond the store's data is zero.
  ///
  /// - Parameter buffer: a whole number of pages.
  func read(firstPage: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StoreError)

  /// Keeps the contents of the pages from `firstPage` on. Whole pages come even if the file ends inside the last.
  func write(firstPage: UInt64, from buffer: UnsafeRawBufferPointer) throws(StoreError)
}

/// A store that could not do what it was asked.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The first page that is concerned.
  public let page: UInt64
  /// What happened, for a person to read.
  public let message: String

  public init(page: UInt64, message: String) {
    self.page = page
    self.message = message
  }

  public var description: String { "page \(page): \(message)" }
}
